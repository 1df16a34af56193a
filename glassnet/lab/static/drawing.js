// A pad to draw on: pixels of ink under the pointer, handed over as they change.

import { h } from "./dom.js";
import { drawHeatmap } from "./heatmap.js";

const BRUSH = 1.35; // pixels of the pad

/** `ondraw(pixels)` is called with Float32Array values in [0, 1], row 0 on top, whenever ink is added. */
export class DrawingPad {
  constructor({ side, label, testid, ondraw, live }) {
    Object.assign(this, { side, ondraw });
    this.ink = new Float32Array(side * side);
    const draw = (event) => event.buttons && this.draw(event);
    this.element = h("canvas", {
      class: "pad", role: "img", "aria-label": label, testid,
      ...(live ? { onpointerdown: (event) => this.start(event), onpointermove: draw } : {}),
    });
  }

  /** Show a picture, uint8, through a colour map; `ink` is what a stroke is added to. */
  show(values, map, ink) {
    drawHeatmap(this.element, values, this.side, this.side, map);
    this.base = ink;
  }

  start(event) {
    this.element.setPointerCapture(event.pointerId);
    this.ink = Float32Array.from(this.base ?? this.ink);
    this.last = null;
    this.draw(event);
  }

  /** Ink all pixels near the way from the last place to this one. */
  draw(event) {
    const box = this.element.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top].map((place) => (place / box.width) * this.side);
    const from = this.last ?? at;
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(at[0] - from[0], at[1] - from[1])));
    for (let i = 0; i <= steps; i++) this.dab(from.map((start, k) => start + ((at[k] - start) * i) / steps));
    this.last = at;
    this.ondraw(this.ink);
  }

  dab([x, y]) {
    for (let row = 0; row < this.side; row++) {
      for (let column = 0; column < this.side; column++) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const value = Math.max(0, Math.min(1, BRUSH + 0.5 - distance));
        const i = row * this.side + column;
        this.ink[i] = Math.max(this.ink[i], value);
      }
    }
  }
}
