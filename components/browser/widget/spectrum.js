import { prepareCanvas } from "../shared/canvas.js";

// Bars of whichever side speaks, from the streams themselves.
export class Spectrum {
  constructor(canvas) {
    this.canvas = canvas;
    this.analysers = {};
    this.side = "user";
    this.running = false;
  }

  start(context, streams) {
    this.analysers = {};
    if (!context) return;
    context.resume().catch(() => {});
    for (const [side, stream] of Object.entries(streams)) {
      const analyser = context.createAnalyser();
      analyser.fftSize = 512;
      analyser.smoothingTimeConstant = 0.75;
      context.createMediaStreamSource(stream).connect(analyser);
      this.analysers[side] = analyser;
    }
    if (!this.running) {
      this.running = true;
      requestAnimationFrame(() => this.frame());
    }
  }

  stop() {
    this.running = false;
    this.analysers = {};
    this.draw(null);
  }

  frame() {
    if (!this.running) return;
    const analyser = this.analysers[this.side];
    let bins = null;
    if (analyser) {
      bins = new Uint8Array(analyser.frequencyBinCount);
      analyser.getByteFrequencyData(bins);
    }
    this.draw(bins);
    requestAnimationFrame(() => this.frame());
  }

  draw(bins) {
    const { canvas } = this;
    const { context: pen, width, height } = prepareCanvas(canvas, window.devicePixelRatio || 1);
    pen.fillStyle = getComputedStyle(canvas).getPropertyValue(bins ? `--${this.side}` : "--line");
    const count = Math.max(8, Math.floor(width / 8));
    for (let bar = 0; bar < count; bar += 1) {
      // Speech lies low: bars widen towards the top, up to some 8 kHz.
      const from = bins ? Math.floor((bar / count) ** 1.6 * bins.length * 0.35) : 0;
      const level = bins ? bins[from] / 255 : 0;
      const tall = Math.max(3, level * height);
      pen.beginPath();
      const place = [(bar * width) / count + 1, (height - tall) / 2, width / count - 3, tall];
      if (pen.roundRect) pen.roundRect(...place, 2);
      else pen.rect(...place);
      pen.fill();
    }
  }
}
