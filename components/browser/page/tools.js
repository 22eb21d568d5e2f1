// The pane of the tools, and the requests of MCP servers in the transcript.
import { argumentsOf, keepTools, readable, recallTools } from "./toolbox.js";

((rv) => {
  if (rv.tools) return;

  const ADDRESS = "api/tools";
  const STATES = {
    in_progress: "lists its tools…",
    failed: "could not list its tools",
    refused: "not in this call: the model's server refused it",
    waiting: "from the next call on",
  };
  const byId = (id) => document.getElementById(id);
  let list = null; // as it is on the page; Gradio may make it anew
  let wish = recallTools(localStorage);
  let inForce = null; // what the app told of this call's tools last
  let sent = false; // whether anything was changed in this call
  let listings = []; // what servers have listed
  let requests = []; // the ids of those that wait to be allowed

  const switches = () => [...document.querySelectorAll('#tools [role="switch"]')];

  function tend() {
    const now = byId("mcp-servers");
    if (now && now !== list) {
      list = now;
      showSwitches();
      showServers();
    }
    offerAnswers();
  }

  function showSwitches() {
    switches().forEach((box) => (box.checked = !wish.off.includes(box.name)));
  }

  function change(changes) {
    wish = { ...wish, ...changes };
    keepTools(localStorage, wish);
    showServers();
    say("", "");
    sent = true;
    rv.page.send({ type: "set", name: "tools", value: wish });
  }

  // What the app tells of the settings of a call; a refused wish gives way to the old one.
  function take({ values, pending, problems }) {
    if (!list || !values.tools) return;
    inForce = values.tools;
    if (problems.tools) {
      say(problems.tools, "problem");
      wish = { ...values.tools };
      keepTools(localStorage, wish);
      showSwitches();
    } else if (pending.includes("tools")) say("…", "pending");
    else say(sent ? "✓" : "", "done");
    showServers();
  }

  function say(text, how) {
    const told = byId("told-tools");
    if (told.textContent !== text) told.textContent = text;
    told.dataset.how = how;
  }

  function begin() {
    sent = false;
    inForce = null;
    hear({ servers: [], requests: [] });
  }

  // What the servers have told, by way of the app.
  function hear(message) {
    listings = message.servers;
    requests = message.requests;
    if (list) showServers();
    offerAnswers();
  }

  function make(tag, text, attributes = {}) {
    const element = document.createElement(tag);
    element.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    return element;
  }

  function showServers() {
    list.replaceChildren(...wish.servers.map(entryOf));
    list.hidden = wish.servers.length === 0;
  }

  function entryOf({ label, url, approval }) {
    const entry = make("li", "", { "data-server": label });
    const head = make("div", "", { class: "rv-server" });
    const remove = make("button", "Remove", { type: "button", "aria-label": `Remove ${label}` });
    remove.dataset.remove = label;
    head.append(make("b", label), remove);
    const asks = approval === "always" ? "asks before each call" : "never asks";
    entry.append(head, make("p", `${url}, ${asks}`, { class: "rv-address" }));
    const told = stateOf(label);
    if (told) entry.append(make("p", told, { class: "rv-told" }));
    const listing = listings.find((each) => each.label === label);
    if (listing && listing.tools.length > 0) entry.append(toolsOf(listing));
    return entry;
  }

  function stateOf(label) {
    const isIn = inForce && inForce.servers.some((each) => each.label === label);
    const listing = listings.find((each) => each.label === label);
    if (!inForce) return "";
    if (!isIn) return byId("told-tools").dataset.how === "pending" ? "…" : STATES.refused;
    return listing ? STATES[listing.state] || "" : "";
  }

  function toolsOf({ tools }) {
    const details = make("details", "");
    const names = make("ul", "");
    tools.forEach(({ name, description }) => {
      const item = make("li", "");
      item.append(make("b", name), make("span", description ? ` ${description}` : ""));
      names.append(item);
    });
    details.append(make("summary", tools.length === 1 ? "1 tool" : `${tools.length} tools`), names);
    return details;
  }

  function add(form) {
    const [label, url, approval] = ["label", "url", "approval"].map((name) => byId(`mcp-${name}`));
    const others = wish.servers.filter((server) => server.label !== label.value);
    const server = { label: label.value, url: url.value.trim(), approval: approval.value };
    change({ servers: [...others, server] });
    form.reset();
    label.focus();
  }

  // Beside each request in the transcript that waits. Gradio may write the message anew.
  function offerAnswers() {
    document.querySelectorAll("#transcript .approval").forEach((place) => {
      const id = [...place.classList].find((name) => name.startsWith("ask-"))?.slice(4);
      const waits = requests.includes(id);
      if (waits === place.childElementCount > 0) return;
      if (!waits) return place.replaceChildren();
      const answers = [
        ["Allow", "yes"],
        ["Refuse", "no"],
      ].map(([text, answer]) => {
        const button = make("button", text, { type: "button", "data-answer": answer });
        button.dataset.request = id;
        return button;
      });
      place.replaceChildren(...answers);
    });
  }

  function answer({ request, answer: given }) {
    requests = requests.filter((id) => id !== request);
    offerAnswers();
    rv.page.send({ type: "approve", id: request, allow: given === "yes" });
  }

  async function run(form) {
    const output = form.querySelector("output");
    const button = form.querySelector("button");
    const show = (text, failed) => {
      output.hidden = false;
      output.textContent = text;
      output.dataset.failed = failed;
    };
    try {
      const given = argumentsOf(fieldsOf(form));
      button.disabled = true;
      const body = JSON.stringify({ key: rv.key(), name: form.dataset.try, arguments: given });
      const response = await fetch(ADDRESS, { method: "POST", body });
      const told = await response.json();
      if (!response.ok) throw new Error(told.error.message);
      const failed = told.result.startsWith('{"error"');
      show(`${readable(told.result)}\n(${told.took_ms} ms)`, failed);
    } catch (error) {
      const lost = error instanceof TypeError || error instanceof SyntaxError;
      show(lost ? "The app does not answer. Try again." : error.message, true);
    } finally {
      button.disabled = false;
    }
  }

  const fieldsOf = (form) =>
    [...form.elements]
      .filter((field) => field.name)
      .map(({ name, value, checked, required, dataset }) => ({
        ...{ name, value, checked, required },
        kind: dataset.kind,
      }));

  function onChange({ target }) {
    if (target.role !== "switch" || !target.closest("#tools")) return;
    change({
      off: switches()
        .filter((box) => !box.checked)
        .map((box) => box.name),
    });
  }

  function onClick({ target }) {
    const button = target.closest && target.closest("button");
    if (!button) return;
    if (button.dataset.request) answer(button.dataset);
    const label = button.closest("#tools") && button.dataset.remove;
    if (label) change({ servers: wish.servers.filter((server) => server.label !== label) });
  }

  function onSubmit(event) {
    const form = event.target;
    if (form.id !== "mcp-form" && !form.dataset.try) return;
    event.preventDefault();
    if (form.id === "mcp-form") add(form);
    else run(form);
  }

  document.addEventListener("change", onChange);
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);

  // Where the pane is not on the page, visitors may not choose, and nothing is asked for.
  function wishes() {
    const any = wish.off.length > 0 || wish.servers.length > 0;
    return list && any ? { tools: JSON.stringify(wish) } : {};
  }

  rv.tools = { tend, take, begin, hear, wishes };
})((window.realtimeVoice = window.realtimeVoice || {}));
