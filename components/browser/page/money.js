// What a call has used and what that costs, by the page's table of prices. It draws nothing.
//
// Rule: a price is known or there is none. What has no price, and what a server does not report, is
// counted as unknown and never as nothing. Prices are US dollars for a million tokens, `minute` for
// a minute of sound; those that a visitor has entered are kept in this browser and used here alone.

const PRICES_KEPT = "realtime-voice-prices";
const DEAREST = 100_000;
const MOST_PRICED = 50; // models
const WINDOW_S = 120; // of the forecast
const LEAST_WINDOW_S = 10; // sooner a rate says nothing

export const KINDS_OF_TOKENS = [
  { name: "Text", given: "input_text", cached: "cached_text", made: "output_text", price: "text" },
  {
    name: "Audio",
    given: "input_audio",
    cached: "cached_audio",
    made: "output_audio",
    price: "audio",
  },
  { name: "Image", given: "input_image", cached: "cached_image", made: "", price: "image" },
];
// The fields of a model's prices, as the pane asks for them.
export const PRICE_FIELDS = {
  models: [
    "text",
    "cached_text",
    "text_out",
    "audio",
    "cached_audio",
    "audio_out",
    "image",
    "cached_image",
  ],
  transcription: ["minute", "text", "audio", "text_out"],
};

export const undatedName = (model) => model.replace(/-\d{4}-\d{2}-\d{2}$/, "");

// The known prices of a model, or {}; what the visitor has entered goes before the table's.
export function pricesOf(kind, model, table, entered) {
  const known = (prices) => (prices[kind] && prices[kind][undatedName(model)]) || {};
  return { ...known(table), ...known(entered) };
}

// What was used, by one model and one for the transcription: { dollars, unknown }. `dollars` is
// null if no price at all is known; `unknown` counts what is not in it, or not wholly.
export function costOfUsage(usage, { model, transcription_model: writer }, table, entered) {
  const prices = pricesOf("models", model, table, entered);
  if (Object.keys(prices).length === 0) return { dollars: null, unknown: 1 };
  const bill = { dollars: 0, unknown: usage.unreported || 0 };
  const charge = (count, price, per = 1_000_000) => {
    if (!count) return;
    if (typeof price === "number") bill.dollars += (count * price) / per;
    else bill.unknown += 1;
  };
  KINDS_OF_TOKENS.forEach(({ given, cached, made, price }) => {
    charge((usage[given] || 0) - (usage[cached] || 0), prices[price]);
    charge(usage[cached], prices[`cached_${price}`]);
    charge(usage[made], prices[`${price}_out`]);
  });
  const written = pricesOf("transcription", writer, table, entered);
  charge(usage.transcription_s, written.minute, 60);
  charge(usage.transcription_text, written.text);
  charge(usage.transcription_audio, written.audio);
  charge(usage.transcription_output, written.text_out);
  return bill;
}

// Several costs together.
export function addCosts(costs) {
  const known = costs.filter(({ dollars }) => dollars !== null);
  const unknown = costs.reduce((sum, cost) => sum + cost.unknown, 0);
  if (costs.length > 0 && known.length === 0) return { dollars: null, unknown };
  return { dollars: known.reduce((sum, { dollars }) => sum + dollars, 0), unknown };
}

export function addUsages(usages) {
  const sum = {};
  usages.forEach((usage) =>
    Object.entries(usage).forEach(([name, count]) => (sum[name] = (sum[name] || 0) + count)),
  );
  return sum;
}

// The rows of a call, each { turn, at_s, transcription_model, usage }, one for each turn, in order:
// { turn, at_s, usage, cost }.
export function turnsOf({ model, spent }, table, entered) {
  const turns = new Map();
  spent.forEach((row) => {
    const cost = costOfUsage(row.usage, { ...row, model }, table, entered);
    const before = turns.get(row.turn);
    if (!before)
      return turns.set(row.turn, { turn: row.turn, at_s: row.at_s, usage: row.usage, cost });
    before.at_s = Math.max(before.at_s, row.at_s);
    before.usage = addUsages([before.usage, row.usage]);
    before.cost = addCosts([before.cost, cost]);
    return turns;
  });
  return [...turns.values()];
}

// What a minute costs if it goes on as in the last two: a cost; null as long as nobody can say.
export function forecastOf(turns, elapsedS) {
  if (elapsedS < LEAST_WINDOW_S) return null;
  const window = Math.min(WINDOW_S, elapsedS);
  const recent = addCosts(
    turns.filter(({ at_s: at }) => at >= elapsedS - window).map(({ cost }) => cost),
  );
  if (recent.dollars === null) return null;
  return { ...recent, dollars: (recent.dollars * 60) / window };
}

export function dollarsOf({ dollars, unknown }) {
  if (dollars === null) return "no price known";
  if (dollars === 0 && unknown > 0) return "unknown";
  if (dollars > 0 && dollars < 0.0001) return unknown > 0 ? "unknown" : "< $0.0001";
  return `${unknown > 0 ? "at least " : ""}$${dollars.toFixed(dollars > 0 && dollars < 0.1 ? 4 : 2)}`;
}

// The lines of a table: what came in new, what was cached, what went out.
export function linesOf(usage) {
  return KINDS_OF_TOKENS.map(({ name, given, cached, made }) => ({
    name,
    fresh: (usage[given] || 0) - (usage[cached] || 0),
    cached: usage[cached] || 0,
    made: made ? usage[made] || 0 : null,
  }));
}

// What was used for writing down the user's words, in one line; empty without any.
export function transcriptionOf(usage) {
  const seconds = usage.transcription_s || 0;
  const given = (usage.transcription_text || 0) + (usage.transcription_audio || 0);
  const tokens = given + (usage.transcription_output || 0);
  const parts = [];
  if (seconds) parts.push(`${seconds.toFixed(1)} s of sound`);
  if (tokens) parts.push(`${tokens.toLocaleString("en")} tokens`);
  return parts.join(", ");
}

// A price as somebody writes it: a number; null for none; undefined if it is no price.
export function priceFrom(text) {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const price = Number(trimmed);
  return price >= 0 && price <= DEAREST ? price : undefined;
}

// The entered prices with one more; null takes it back.
export function enter(entered, kind, model, field, price) {
  const name = undatedName(model);
  const { [field]: _, ...rest } = (entered[kind] || {})[name] || {};
  const prices = price === null ? rest : { ...rest, [field]: price };
  const { [name]: __, ...others } = entered[kind] || {};
  const models = Object.keys(prices).length ? { ...others, [name]: prices } : others;
  return { ...entered, [kind]: models };
}

// Of what was kept, only sensible prices under known fields.
export function recallPrices(storage) {
  const entered = { models: {}, transcription: {} };
  try {
    const kept = Object(JSON.parse(storage.getItem(PRICES_KEPT)));
    Object.keys(entered).forEach((kind) => {
      Object.entries(Object(kept[kind]))
        .slice(0, MOST_PRICED)
        .forEach(([model, prices]) => {
          const known = PRICE_FIELDS[kind].filter((field) => isPrice(Object(prices)[field]));
          if (known.length === 0 || model.length > 100) return;
          entered[kind][model] = Object.fromEntries(known.map((field) => [field, prices[field]]));
        });
    });
  } catch {
    // Blocked, or not ours.
  }
  return entered;
}

const isPrice = (value) => typeof value === "number" && value >= 0 && value <= DEAREST;

export function keepPrices(storage, entered) {
  try {
    storage.setItem(PRICES_KEPT, JSON.stringify(entered));
  } catch {
    // They are forgotten with the page.
  }
}
