// The pane of the timing: a bar for each turn, a sentence that says where its time went, and its
// steps one by one for who unfolds them.
import { merge, millisecondsOf, partsOf, secondsOf, spanOf, titleOf } from "./turns.js";

((rv) => {
  if (rv.waterfall) return;

  const SHOWN = 20; // turns, the newest
  const byId = (id) => document.getElementById(id);
  let turns = [];
  const unfolded = new Set(); // the numbers of turns

  function take({ turns: fresh, p50_s: median, p95_s: slow }) {
    turns = merge(turns, fresh);
    write(median, slow);
  }

  function clear() {
    turns = [];
    unfolded.clear();
    write(null, null);
  }

  function write(median, slow) {
    const list = byId("turns");
    if (!list) return;
    const newest = turns.slice(-SHOWN).reverse();
    const span = spanOf(newest);
    list.replaceChildren(...newest.map((turn) => rowOf(turn, span)));
    const answered = turns.filter(({ felt_s: felt }) => typeof felt === "number");
    const last = answered.length ? answered[answered.length - 1].felt_s : null;
    const figures = { felt: last, p50: median, p95: slow };
    Object.entries(figures).forEach(([name, value]) => {
      document.querySelector(`#timing [data-turns="${name}"]`).textContent = secondsOf(value);
    });
    byId("turns-none").hidden = turns.length > 0;
  }

  function rowOf(turn, span) {
    const item = document.createElement("li");
    item.dataset.turn = turn.number;
    const title = document.createElement("h3");
    title.textContent = titleOf(turn);
    item.append(title, barOf(turn, span));
    if (turn.reason) {
      const reason = document.createElement("p");
      reason.textContent = turn.reason;
      item.append(reason);
    }
    item.append(stepsOf(turn));
    return item;
  }

  // The parts of a bar in words, as a finger cannot point at them and some are a pixel wide.
  function stepsOf(turn) {
    const steps = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Steps";
    const list = document.createElement("ul");
    list.replaceChildren(...partsOf(turn).map(stepOf));
    steps.append(summary, list);
    steps.className = "rv-steps";
    steps.hidden = !list.childElementCount;
    steps.open = unfolded.has(turn.number);
    steps.addEventListener("toggle", () => {
      if (steps.open) unfolded.add(turn.number);
      else unfolded.delete(turn.number);
    });
    return steps;
  }

  function stepOf(part) {
    const row = document.createElement("li");
    const colour = document.createElement("i");
    colour.dataset.step = part.step;
    const name = document.createElement("span");
    name.textContent = part.name;
    const took = document.createElement("b");
    took.textContent = millisecondsOf(part);
    row.append(colour, name, took);
    return row;
  }

  function barOf(turn, span) {
    const bar = document.createElement("div");
    bar.className = "rv-waterfall";
    const parts = partsOf(turn);
    bar.setAttribute("role", "img");
    const words = parts.map(({ name, from, to }) => `${name} after ${(to - from).toFixed(2)} s`);
    bar.setAttribute("aria-label", words.join(", ") || "nothing yet");
    parts.forEach(({ step, name, from, to }) => {
      const part = document.createElement("span");
      part.dataset.step = step;
      part.title = `${name}: ${millisecondsOf({ from, to })}`;
      part.style.insetInlineStart = `${(100 * from) / span}%`;
      part.style.width = `${(100 * (to - from)) / span}%`;
      bar.append(part);
    });
    return bar;
  }

  rv.waterfall = { take, clear };
})((window.realtimeVoice = window.realtimeVoice || {}));
