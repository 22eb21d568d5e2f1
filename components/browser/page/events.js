// The pane of the events: a list of which only the rows in view are drawn, and one event in full.
import { download } from "./download.js";
import { clockOf, EventList, sizeOf, windowOf } from "./eventlist.js";

((rv) => {
  if (rv.events) return;

  const ROW_PX = 26;
  const list = new EventList();
  const byId = (id) => document.getElementById(id);
  let chosen = 0; // the number of the row that is shown in full
  let drawing = 0;
  let pressed = false; // a pointer is down on the list: nothing moves under it
  let follows = true; // the list shows its end, and goes on doing so
  let watched = null;

  function take(rows) {
    list.take(rows);
    draw();
  }

  function clear() {
    list.clear();
    follows = true;
    choose(0);
  }

  // Once a frame, however much comes.
  function draw() {
    if (!drawing) drawing = requestAnimationFrame(render);
  }

  function render() {
    drawing = 0;
    const box = byId("events-list");
    if (!box || pressed) return;
    watch(box);
    const rows = list.shown;
    const inner = box.firstElementChild;
    inner.style.height = `${rows.length * ROW_PX}px`;
    if (follows && !list.held) box.scrollTop = box.scrollHeight;
    const [from, to] = windowOf(box.scrollTop, box.clientHeight, ROW_PX, rows.length);
    lay(inner, rows.slice(from, to), from);
    box.dataset.count = String(rows.length);
    byId("events-none").hidden = rows.length > 0;
    byId("events-count").textContent = `${rows.length} of ${list.rows.length}`;
  }

  // A hidden list has no end to be at: it is drawn anew when it is seen.
  function watch(box) {
    if (box === watched) return;
    watched = box;
    new ResizeObserver(draw).observe(box);
  }

  function onScroll({ target: box }) {
    if (box.id !== "events-list") return;
    if (box.clientHeight) follows = box.scrollTop + box.clientHeight >= box.scrollHeight - ROW_PX;
    draw();
  }

  // The element of a row that stays is kept, and so is the focus on it.
  function lay(inner, rows, from) {
    const wanted = new Set(rows.map(({ number }) => String(number)));
    const there = new Map();
    [...inner.children].forEach((button) => {
      if (wanted.has(button.dataset.number)) there.set(button.dataset.number, button);
      else button.remove();
    });
    rows.forEach((row, index) => {
      const button = there.get(String(row.number)) || made(row);
      fill(button, row, from + index);
      const here = inner.children[index];
      if (here !== button) inner.insertBefore(button, here || null);
    });
  }

  function made({ number, direction }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "rv-event";
    button.dataset.number = number;
    button.dataset.direction = direction;
    ["rv-at", "rv-way", "rv-type", "rv-times", "rv-size"].forEach((name) => {
      const cell = document.createElement("span");
      cell.className = name;
      button.append(cell);
    });
    button.children[1].setAttribute("aria-label", direction);
    return button;
  }

  function fill(button, row, place) {
    button.style.top = `${place * ROW_PX}px`;
    button.setAttribute("aria-pressed", row.number === chosen);
    const texts = [
      clockOf(row.at),
      row.direction === "sent" ? "↑" : "↓",
      row.type,
      row.count > 1 ? `× ${row.count}` : "",
      sizeOf(row.bytes),
    ];
    texts.forEach((text, index) => {
      const cell = button.children[index];
      if (cell.textContent !== text) cell.textContent = text;
    });
  }

  function choose(number) {
    chosen = number === chosen ? 0 : number;
    const place = list.find(chosen);
    const detail = byId("event-detail");
    if (detail) detail.hidden = place === -1;
    if (place !== -1) {
      byId("event-text").textContent = JSON.stringify(list.rows[place].event, null, 2);
    }
    draw();
  }

  function pause() {
    const on = !list.held;
    list.pause(on);
    byId("events-pause").setAttribute("aria-pressed", on);
    draw();
  }

  function save() {
    download(new Blob([list.jsonl], { type: "application/jsonl" }), "events.jsonl");
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(byId("event-text").textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }

  function onClick({ target }) {
    const button = target.closest && target.closest("#events button");
    if (!button) return;
    if (button.dataset.number) choose(Number(button.dataset.number));
    if (button.id === "events-pause") pause();
    if (button.id === "events-save") save();
    if (button.id === "event-copy") copy(button);
  }

  function onInput({ target }) {
    if (target.id === "events-filter") list.text = target.value;
    else if (target.id === "events-direction") list.direction = target.value;
    else return;
    draw();
  }

  function onPress({ target }) {
    pressed = Boolean(target.closest && target.closest("#events-list"));
  }

  function onRelease() {
    if (!pressed) return;
    pressed = false;
    draw();
  }

  document.addEventListener("click", onClick);
  document.addEventListener("pointerdown", onPress);
  document.addEventListener("pointerup", onRelease);
  document.addEventListener("pointercancel", onRelease);
  document.addEventListener("input", onInput);
  // Scrolling does not bubble.
  document.addEventListener("scroll", onScroll, true);

  rv.events = { take, clear, draw };
})((window.realtimeVoice = window.realtimeVoice || {}));
