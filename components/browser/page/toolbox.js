// What a visitor has chosen of the tools, and the arguments of a function that is tried. It shows
// nothing.
//
// Rule: what was kept is taken only in the form in which it is kept; the app judges what it says.

const KEPT_TOOLS = "realtime-voice-tools";

// { off: names of functions, servers: [{ label, url, approval }] }
export function recallTools(storage) {
  try {
    const { off, servers } = Object(JSON.parse(storage.getItem(KEPT_TOOLS)));
    return {
      off: listOf(off).filter((name) => typeof name === "string"),
      servers: listOf(servers).filter(isServer).map(serverOf),
    };
  } catch {
    return { off: [], servers: [] }; // blocked, or not ours
  }
}

export function keepTools(storage, wish) {
  try {
    storage.setItem(KEPT_TOOLS, JSON.stringify(wish));
  } catch {
    // It is forgotten with the page.
  }
}

const listOf = (value) => (Array.isArray(value) ? value : []);
const serverOf = ({ label, url, approval }) => ({ label, url, approval });

function isServer(value) {
  const { label, url, approval } = Object(value);
  return [label, url, approval].every((text) => typeof text === "string");
}

// The JSON of the arguments that stand in fields { name, kind, value, checked, required }: what is
// left empty is left out. Throws a sentence about a field that holds no JSON.
export function argumentsOf(fields) {
  const given = {};
  fields.forEach((field) => {
    const { name, kind, value, required } = field;
    if (kind === "boolean") given[name] = field.checked;
    else if (value === "" && !(required && kind === "text")) return;
    else given[name] = kind === "text" || kind === "choice" ? value : argument(name, kind, value);
  });
  return JSON.stringify(given);
}

function argument(name, kind, value) {
  if (kind === "integer" || kind === "number") return Number(value);
  try {
    return JSON.parse(value);
  } catch {
    throw new Error(`The argument ${name} is not JSON.`);
  }
}

// A result as it is shown: JSON with its lines, anything else as it is.
export function readable(result) {
  try {
    return JSON.stringify(JSON.parse(result), null, 2);
  } catch {
    return result;
  }
}
