// What the plot of both voices holds: their levels, and who was speaking when. It draws nothing.
//
// Rule: a point lies where the handler's clock puts it, as messages arrive with jitter. Times are
// ms of this page's clock, levels dBFS.
const SIDES = ["user", "assistant"];

export class Timeline {
  constructor(seconds) {
    this.kept = (seconds + 1) * 1000;
    this.points = []; // { at, user, assistant }
    this.spells = []; // { side, from, to }: periods of speaking; `to` is null while one lasts
    this.offset = Infinity; // from the handler's clock to this page's
  }

  // The next message comes from a handler with a clock of its own.
  resume() {
    this.offset = Infinity;
  }

  // Takes a message { user, assistant, t }, with `t` in ms of the handler's clock.
  add({ user, assistant, t }, now) {
    // The fastest message tells the offset.
    this.offset = Math.min(this.offset, now - t);
    this.points.push({ at: t + this.offset, user, assistant });
    this.forget(now - this.kept);
  }

  forget(oldest) {
    const { points, spells } = this;
    while (points.length && points[0].at < oldest) points.shift();
    while (spells.length && spells[0].to !== null && spells[0].to < oldest) spells.shift();
  }

  speak(side, on, now) {
    const open = this.spells.find((spell) => spell.side === side && spell.to === null);
    if (on && !open) this.spells.push({ side, from: now, to: null });
    if (!on && open) open.to = now;
  }

  // What happened, oldest first: { kind, side, at }; speaking over an answer is both a beginning
  // and an interruption, and shown as the latter.
  marks() {
    const during = (at) =>
      this.spells.some(
        ({ side, from, to }) => side === "assistant" && from < at && (to === null || to >= at),
      );
    const found = this.spells.flatMap(({ side, from, to }) => {
      if (side === "assistant") return [{ kind: "answer", side, at: from }];
      const begun = { kind: during(from) ? "interrupted" : "started", side, at: from };
      return to === null ? [begun] : [begun, { kind: "stopped", side, at: to }];
    });
    return found.sort((one, other) => one.at - other.at);
  }

  stop(now) {
    SIDES.forEach((side) => this.speak(side, false, now));
  }

  // When the last point was; null without one.
  get end() {
    return this.points.length ? this.points[this.points.length - 1].at : null;
  }
}
