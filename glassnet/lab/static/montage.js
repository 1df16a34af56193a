// Many small pictures on one canvas, in rows; one of them may be marked.

import { h } from "./dom.js";
import { drawHeatmap } from "./heatmap.js";

const PICTURE_GAP = 2; // pixels between pictures, which show the card
const CLEAR = 0; // the value of these; pictures have 1 to 255

/** `onpick(index)` is called when a picture is clicked. */
export class Montage {
  constructor({ columns, label, testid, onpick = null }) {
    Object.assign(this, { columns, onpick, n: 0 });
    this.canvas = h("canvas");
    this.mark = h("i", { hidden: true });
    const onclick = onpick && ((event) => this.pick(event));
    this.element = h("div", { class: `montage${onpick ? " pickable" : ""}`, onclick },
      h("div", { role: "img", "aria-label": label, testid }, this.canvas), this.mark);
  }

  /** Draw an array (pictures, height, width) through a colour map, and a frame around picture `marked`. */
  show({ shape: [n, height, width], data }, map, marked = null) {
    Object.assign(this, { n, rows: Math.ceil(n / this.columns) });
    const [stepX, stepY] = [width + PICTURE_GAP, height + PICTURE_GAP];
    const wide = this.columns * stepX - PICTURE_GAP;
    const high = Math.max(1, this.rows * stepY - PICTURE_GAP);
    const sheet = new Uint8Array(wide * high).fill(CLEAR);
    for (let i = 0; i < n; i++) {
      const corner = Math.floor(i / this.columns) * stepY * wide + (i % this.columns) * stepX;
      for (let row = 0; row < height; row++) {
        const from = (i * height + row) * width;
        sheet.set(data.subarray(from, from + width), corner + row * wide);
      }
    }
    const clear = map.slice();
    clear[CLEAR] = 0;
    drawHeatmap(this.canvas, sheet, high, wide, clear);
    this.mark.hidden = marked === null || marked >= n;
    if (this.mark.hidden) return;
    const share = (index, step, size, all) => ({ start: `${(100 * index * step) / all}%`, size: `${(100 * size) / all}%` });
    const across = share(marked % this.columns, stepX, width, wide);
    const down = share(Math.floor(marked / this.columns), stepY, height, high);
    Object.assign(this.mark.style, { left: across.start, width: across.size, top: down.start, height: down.size });
  }

  pick(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.rows);
    const index = row * this.columns + column;
    if (column >= 0 && column < this.columns && index >= 0 && index < this.n) this.onpick(index);
  }
}
