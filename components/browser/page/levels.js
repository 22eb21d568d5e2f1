import { CALM, DETAILED, drawPlot } from "./plot.js";
import { Timeline } from "./timeline.js";

// Keeps the level of both voices, and draws it while a call runs: the last ten seconds for
// everybody, the last minute in the drawer while that is open.
((rv) => {
  if (rv.levels) return;

  const FEW_COLOURS = window.matchMedia("(forced-colors: active)");
  const PLOTS = { levels: CALM, history: DETAILED };

  let timeline = new Timeline(DETAILED.seconds);
  let received = 0;
  let frames = 0;
  let running = false;
  let colours = null;
  const observed = new WeakSet();

  const canvas = () => document.getElementById("levels");

  function start() {
    timeline = new Timeline(DETAILED.seconds);
    received = frames = 0;
    if (canvas()) canvas().dataset.points = received;
    if (!running) requestAnimationFrame(frame);
    running = true;
  }

  function stop() {
    running = false;
    timeline.stop(performance.now());
  }

  function add(message) {
    timeline.add(message, performance.now());
    received += 1;
    const element = canvas();
    if (element) element.dataset.points = received;
  }

  function speak(side, on) {
    timeline.speak(side, on, performance.now());
  }

  let skip = false;
  function frame() {
    if (!running) return;
    skip = !skip; // thirty pictures a second are enough
    if (!skip) draw();
    requestAnimationFrame(frame);
  }

  function draw() {
    Object.keys(PLOTS).forEach((id) => {
      const element = document.getElementById(id);
      if (!element) return;
      observe(element);
      if (!element.clientWidth) return; // the drawer is closed
      colours = colours || palette(element);
      drawPlot(element, timeline, newest(), PLOTS[id], colours);
      if (id !== "levels") return;
      frames += 1;
      element.dataset.frames = frames;
    });
  }

  // The right edge: the clock during a call, so that the plot glides; its last moment after it.
  function newest() {
    if (running) return performance.now();
    return timeline.end ?? performance.now();
  }

  function palette(element) {
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      user: colour("--rv-user"),
      assistant: colour("--rv-assistant"),
      grid: colour("--rv-line"),
      text: colour("--rv-faint"),
      dash: FEW_COLOURS.matches ? [6, 3] : [],
    };
  }

  // Size and theme change at any time; between calls nobody else would draw.
  function observe(element) {
    if (observed.has(element)) return;
    observed.add(element);
    new ResizeObserver(draw).observe(element);
  }

  function observeTheme() {
    new MutationObserver(repaint).observe(document.body, { attributeFilter: ["class"] });
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    [dark, FEW_COLOURS].forEach((query) => query.addEventListener("change", repaint));
  }

  function repaint() {
    colours = null;
    draw();
  }

  observeTheme();
  rv.levels = { start, stop, resume: () => timeline.resume(), add, speak, draw, palette };
})((window.realtimeVoice = window.realtimeVoice || {}));
