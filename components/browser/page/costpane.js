// The pane of the money: sums, a row for each turn, the prices, and a limit for this call.
import {
  addCosts,
  addUsages,
  dollarsOf,
  enter,
  forecastOf,
  keepPrices,
  linesOf,
  PRICE_FIELDS,
  priceFrom,
  pricesOf,
  recallPrices,
  transcriptionOf,
  turnsOf,
  undatedName,
} from "./money.js";

((rv) => {
  if (rv.cost) return;

  const FIELD_NAMES = {
    text: "Text, in",
    cached_text: "Text, cached",
    text_out: "Text, out",
    audio: "Audio, in",
    cached_audio: "Audio, cached",
    audio_out: "Audio, out",
    image: "Image, in",
    cached_image: "Image, cached",
    minute: "A minute of sound",
  };
  const GROUP_NAMES = { models: "Voice models", transcription: "Transcription" };
  const NO_CALL = { model: "", spent: [], elapsed_s: 0 };

  const byId = (id) => document.getElementById(id);
  const count = (number) => number.toLocaleString("en");
  let table = { date: "", models: {}, transcription: {} };
  let entered = { models: {}, transcription: {} };
  let call = NO_CALL;
  let pane = null;

  // The pane is there, for the first time or made anew by Gradio.
  function tend() {
    const now = byId("cost-sums");
    if (!now || now === pane) return;
    pane = now;
    table = JSON.parse(now.dataset.prices);
    entered = recallPrices(localStorage);
    offer();
    show();
  }

  // A call begins: what was used is of another, and the limit is to hold for it as well.
  function begin() {
    call = NO_CALL;
    show();
    if (byId("cap") && byId("cap").value) rv.page.send({ type: "cap", dollars: wanted() });
  }

  function take(report) {
    const isNew = !isListed(report);
    call = report;
    if (isNew) offer();
    show();
  }

  function show() {
    if (!pane) return;
    const turns = turnsOf(call, table, entered);
    const whole = addCosts(turns.map(({ cost }) => cost));
    const last = turns[turns.length - 1];
    const forecast = forecastOf(turns, call.elapsed_s);
    write("call", call.model ? dollarsOf(turns.length ? whole : sumOfNothing()) : "–");
    write("last", last ? dollarsOf(last.cost) : "–");
    write("minute", forecast ? dollarsOf(forecast) : "–");
    if (call.model) byId("cost-note").textContent = noteOf(whole);
    byId("cost-tables").hidden = turns.length === 0;
    showKinds(addUsages(turns.map(({ usage }) => usage)));
    byId("cost-turns").tBodies[0].replaceChildren(...turns.reverse().map(rowOfTurn));
  }

  const priced = () => Object.keys(pricesOf("models", call.model, table, entered)).length > 0;
  const sumOfNothing = () => ({ dollars: priced() ? 0 : null, unknown: 0 });

  function write(name, text) {
    const figure = pane.querySelector(`[data-cost="${name}"]`);
    if (figure.textContent !== text) figure.textContent = text;
  }

  function noteOf({ unknown }) {
    const { model } = call;
    if (!priced()) return `No price of ${model} is known. Enter one below to see what it costs.`;
    const yours = Object.keys(entered.models).length + Object.keys(entered.transcription).length;
    const whose = yours ? `, with ${yours === 1 ? "a price" : "prices"} of yours` : "";
    const missing = unknown ? " Some of it has no figure or no price, and is not in the sum." : "";
    return `${model}, at the prices of ${table.date}${whose}.${missing}`;
  }

  function showKinds(usage) {
    const rows = linesOf(usage).map(({ name, fresh, cached, made }) =>
      rowOf(name, [count(fresh), count(cached), made === null ? "–" : count(made)]),
    );
    byId("cost-kinds").tBodies[0].replaceChildren(...rows);
    const written = transcriptionOf(usage);
    byId("cost-written").hidden = !written;
    byId("cost-written").textContent = `Transcription of your words: ${written}.`;
  }

  function rowOfTurn({ turn, usage, cost }) {
    const [text, audio, image] = linesOf(usage);
    const both = ({ fresh, made }) => `${count(fresh)} / ${count(made)}`;
    const cached = text.cached + audio.cached + image.cached;
    const cells = [both(text), both(audio), count(image.fresh), count(cached), dollarsOf(cost)];
    const row = rowOf(turn === 0 ? "Earlier" : count(turn), cells);
    row.dataset.turn = turn;
    return row;
  }

  function rowOf(title, cells) {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = title;
    row.append(head);
    cells.forEach((text) => {
      row.insertCell().textContent = text;
    });
    return row;
  }

  // The prices.

  const isListed = ({ model, spent }) =>
    optionOf("models", model) &&
    spent.every(({ transcription_model: name }) => !name || optionOf("transcription", name));

  const optionValue = (kind, model) => `${kind} ${undatedName(model)}`;
  const optionOf = (kind, model) =>
    [...byId("price-model").options].some(({ value }) => value === optionValue(kind, model));

  // Every model that has a price, and those of this call; this one's first.
  function offer() {
    const select = byId("price-model");
    const before = select.value;
    const names = { models: [call.model], transcription: [] };
    names.transcription = call.spent.map(({ transcription_model: name }) => name);
    const groups = Object.entries(names).map(([kind, used]) => {
      const all = [...used.map(undatedName), ...Object.keys({ ...table[kind], ...entered[kind] })];
      const group = document.createElement("optgroup");
      group.label = GROUP_NAMES[kind];
      group.append(
        ...[...new Set(all)]
          .filter(Boolean)
          .map((name) => new Option(name, optionValue(kind, name))),
      );
      return group;
    });
    select.replaceChildren(...groups);
    const wanted = call.model ? optionValue("models", call.model) : before;
    if ([...select.options].some(({ value }) => value === wanted)) select.value = wanted;
    showPrices();
  }

  function chosen() {
    const [kind, ...model] = byId("price-model").value.split(" ");
    return [kind, model.join(" ")];
  }

  function showPrices() {
    const [kind, model] = chosen();
    const prices = pricesOf(kind, model, table, entered);
    const yours = (entered[kind] || {})[model] || {};
    byId("price-fields").replaceChildren(
      ...PRICE_FIELDS[kind].map((field) => fieldOfPrice(field, prices[field], field in yours)),
    );
    byId("price-reset").disabled =
      Object.keys(entered.models).length + Object.keys(entered.transcription).length === 0;
  }

  function fieldOfPrice(field, price, isYours) {
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.textContent = FIELD_NAMES[field];
    const input = document.createElement("input");
    Object.assign(input, { type: "text", inputMode: "decimal", autocomplete: "off" });
    input.id = `price-${field}`;
    input.value = typeof price === "number" ? String(price) : "";
    input.placeholder = "none known";
    input.dataset.price = field;
    label.toggleAttribute("data-yours", isYours);
    label.append(name, input);
    return label;
  }

  function changePrice(input) {
    const [kind, model] = chosen();
    const price = priceFrom(input.value);
    input.setAttribute("aria-invalid", price === undefined);
    if (price === undefined) return;
    entered = enter(entered, kind, model, input.dataset.price, price);
    keepPrices(localStorage, entered);
    const yours = (entered[kind] || {})[model] || {};
    input.value = pricesOf(kind, model, table, entered)[input.dataset.price] ?? "";
    input.parentElement.toggleAttribute("data-yours", input.dataset.price in yours);
    byId("price-reset").disabled = false;
    show();
  }

  function reset() {
    entered = { models: {}, transcription: {} };
    keepPrices(localStorage, entered);
    offer();
    show();
  }

  // The limit.

  // What stands in the field: dollars, null for nothing, "" for what is no number.
  function wanted() {
    const { value, validity } = byId("cap");
    if (validity.badInput) return "";
    return value === "" ? null : Number(value);
  }

  function limit() {
    const inCall = document.documentElement.dataset.phase === "call";
    tell(inCall || wanted() === null ? "" : "It holds when the call begins.", "later");
    rv.page.send({ type: "cap", dollars: wanted() });
  }

  function hear({ cap = null, cap_problem: problem = "" }) {
    if (!byId("cap")) return;
    if (problem) {
      byId("cap").value = cap === null ? "" : String(cap);
      tell(problem, "problem");
    } else if (cap !== null) tell(`✓ This call ends at $${cap}.`, "done");
    else tell("", "");
  }

  function tell(text, how) {
    const told = byId("told-cap");
    if (told.textContent !== text) told.textContent = text;
    told.dataset.how = how;
  }

  document.addEventListener("change", ({ target }) => {
    if (target.id === "price-model") showPrices();
    if (target.dataset && target.dataset.price) changePrice(target);
  });
  document.addEventListener("click", ({ target }) => target.id === "price-reset" && reset());
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "cap-form") return;
    event.preventDefault();
    limit();
  });

  rv.cost = { tend, begin, take, hear };
})((window.realtimeVoice = window.realtimeVoice || {}));
