import { prepareCanvas } from "../shared/canvas.js";
import { Timeline } from "./timeline.js";

// Draws the level of both voices over the last ten seconds, and who was speaking when.
(function (rv) {
  "use strict";
  if (rv.levels) return;

  const SECONDS = 10;
  const FLOOR = -60; // dBFS, the bottom of the plot
  const GRID = [0, -20, -40, -60];
  const MARGIN = { left: 30, right: 8, top: 8, bottom: 8 };
  const SIDES = ["user", "assistant"];

  let timeline = new Timeline(SECONDS);
  let received = 0;
  let frames = 0;
  let running = false;
  let colours = null;
  let observed = null;

  const canvas = () => document.getElementById("levels");

  function start() {
    timeline = new Timeline(SECONDS);
    received = frames = 0;
    running = true;
    if (canvas()) canvas().dataset.points = received;
    requestAnimationFrame(frame);
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
    const element = canvas();
    if (!element || !element.clientWidth) return;
    observe(element);
    colours = colours || palette(element);
    const plot = prepare(element);
    drawGrid(plot);
    drawSpells(plot);
    SIDES.forEach((side) => drawLine(plot, side));
    frames += 1;
    element.dataset.frames = frames;
  }

  function prepare(element) {
    const { context, width, height } = prepareCanvas(element, window.devicePixelRatio || 1);
    const now = newest();
    const inner = width - MARGIN.left - MARGIN.right;
    const tall = height - MARGIN.top - MARGIN.bottom;
    return {
      context,
      width,
      left: MARGIN.left,
      right: width - MARGIN.right,
      top: MARGIN.top,
      bottom: height - MARGIN.bottom,
      x: (at) => MARGIN.left + inner * (1 - (now - at) / (SECONDS * 1000)),
      y: (level) => MARGIN.top + tall * (clamp(level) / FLOOR),
    };
  }

  // The right edge: the clock during a call, so that the plot glides; its last moment after it.
  function newest() {
    if (running) return performance.now();
    return timeline.end ?? performance.now();
  }

  const clamp = (level) => Math.min(0, Math.max(FLOOR, level));

  function drawGrid({ context, left, right, y }) {
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.lineWidth = 1;
    GRID.forEach((level) => {
      const line = Math.round(y(level)) + 0.5;
      context.strokeStyle = colours.grid;
      context.beginPath();
      context.moveTo(left, line);
      context.lineTo(right, line);
      context.stroke();
      context.fillStyle = colours.text;
      context.fillText(String(level).replace("-", "−"), left - 6, line);
    });
  }

  // The user's periods fill the upper half, the assistant's the lower, so that both are seen when
  // one speaks over the other.
  function drawSpells({ context, left, right, top, bottom, x }) {
    const middle = (top + bottom) / 2;
    timeline.spells.forEach(({ side, from, to }) => {
      const start = Math.max(left, x(from));
      const end = Math.min(right, to === null ? right : x(to));
      if (end <= start) return;
      context.globalAlpha = 0.14;
      context.fillStyle = colours[side];
      const [upper, lower] = side === "user" ? [top, middle] : [middle, bottom];
      context.fillRect(start, upper, end - start, lower - upper);
    });
    context.globalAlpha = 1;
  }

  function drawLine({ context, left, right, top, bottom, x, y }, side) {
    context.save();
    context.beginPath();
    context.rect(left, top - 2, right - left, bottom - top + 4);
    context.clip();
    context.beginPath();
    timeline.points.forEach((point) => context.lineTo(x(point.at), y(point[side])));
    context.strokeStyle = colours[side];
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    context.stroke();
    context.restore();
  }

  function palette(element) {
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      user: colour("--rv-user"),
      assistant: colour("--rv-assistant"),
      grid: colour("--rv-line"),
      text: colour("--rv-faint"),
    };
  }

  // Size and theme change at any time; between calls nobody else would draw.
  function observe(element) {
    if (observed === element) return;
    observed = element;
    new ResizeObserver(draw).observe(element);
  }

  function observeTheme() {
    new MutationObserver(repaint).observe(document.body, { attributeFilter: ["class"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  }

  function repaint() {
    colours = null;
    draw();
  }

  observeTheme();
  rv.levels = { start, stop, resume: () => timeline.resume(), add, speak, draw };
})((window.realtimeVoice = window.realtimeVoice || {}));
