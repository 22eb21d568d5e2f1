// Draws a timeline into a canvas: the loudness of both voices, and who was speaking when.
//
// Rule: nothing is drawn where there is silence. Where the visitor allows few colours, the
// assistant's line is dashed.
import { prepareCanvas } from "../shared/canvas.js";

const FLOOR_DBFS = -60; // the bottom of the plot; what is softer counts as silence
const GAP_MS = 250; // without a point for so long, nobody knows
const SIGNS = { started: "▾", stopped: "▴", answer: "▸", interrupted: "✕" };

// The plot for everybody, and the one that explains it.
export const CALM = {
  seconds: 10,
  rows: [
    [0, "loud"],
    [-30, ""],
    [-60, "quiet"],
  ],
  marks: false,
  margin: { left: 40, right: 8, top: 6, bottom: 16 },
  ticks: 5,
};
export const DETAILED = {
  seconds: 60,
  rows: [0, -20, -40, -60].map((level) => [level, String(level).replace("-", "−")]),
  marks: true,
  margin: { left: 32, right: 8, top: 18, bottom: 18 },
  ticks: 10,
};

// `now` is the right edge, ms of this page's clock.
export function drawPlot(canvas, timeline, now, look, colours) {
  const { context, width, height } = prepareCanvas(canvas, window.devicePixelRatio || 1);
  const { left, right, top, bottom } = look.margin;
  const inner = width - left - right;
  const tall = height - top - bottom;
  const plot = {
    context,
    colours,
    look,
    now,
    left,
    right: width - right,
    top,
    bottom: height - bottom,
    x: (at) => left + inner * (1 - (now - at) / (look.seconds * 1000)),
    y: (level) => top + tall * (Math.min(0, Math.max(FLOOR_DBFS, level)) / FLOOR_DBFS),
  };
  drawAxes(plot);
  drawSpells(plot, timeline.spells);
  drawLine(plot, timeline.points, "user");
  drawLine(plot, timeline.points, "assistant");
  if (look.marks) drawMarks(plot, timeline.marks());
}

function drawAxes({ context, colours, look, left, right, bottom, y, x, now }) {
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  context.strokeStyle = colours.grid;
  context.fillStyle = colours.text;
  context.textAlign = "right";
  look.rows.forEach(([level, label]) => {
    const line = Math.round(y(level)) + 0.5;
    context.beginPath();
    context.moveTo(left, line);
    context.lineTo(right, line);
    context.stroke();
    context.fillText(label, left - 6, line);
  });
  for (let ago = look.seconds; ago >= 0; ago -= look.ticks) {
    context.textAlign = ago === look.seconds ? "left" : ago ? "center" : "right";
    context.fillText(ago ? `−${ago} s` : "now", x(now - ago * 1000), bottom + 9);
  }
}

// The user's periods fill the upper half, the assistant's the lower, so that both are seen when
// one speaks over the other.
function drawSpells({ context, colours, left, right, top, bottom, x }, spells) {
  const middle = (top + bottom) / 2;
  context.globalAlpha = 0.14;
  spells.forEach(({ side, from, to }) => {
    const start = Math.max(left, x(from));
    const end = Math.min(right, to === null ? right : x(to));
    if (end <= start) return;
    context.fillStyle = colours[side];
    const [upper, lower] = side === "user" ? [top, middle] : [middle, bottom];
    context.fillRect(start, upper, end - start, lower - upper);
  });
  context.globalAlpha = 1;
}

function drawLine({ context, colours, left, right, top, bottom, x, y }, points, side) {
  context.save();
  context.beginPath();
  context.rect(left, top - 2, right - left, bottom - top + 4);
  context.clip();
  context.beginPath();
  let before = null;
  points.forEach((point) => {
    const sounds = point[side] > FLOOR_DBFS;
    const goesOn = before && point.at - before.at < GAP_MS;
    if (sounds && goesOn) context.lineTo(x(point.at), y(point[side]));
    if (sounds && !goesOn) context.moveTo(x(point.at), y(point[side]));
    before = sounds ? point : null;
  });
  context.strokeStyle = colours[side];
  context.lineWidth = 1.75;
  context.lineJoin = "round";
  context.setLineDash(side === "assistant" ? colours.dash : []);
  context.stroke();
  context.restore();
}

function drawMarks({ context, colours, left, top, x }, marks) {
  context.textAlign = "center";
  marks.forEach(({ kind, side, at }) => {
    if (x(at) < left) return;
    context.fillStyle = colours[side];
    context.fillText(SIGNS[kind], x(at), top - 9);
  });
}
