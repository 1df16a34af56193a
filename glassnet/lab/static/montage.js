// Many small pictures on one canvas, in rows; one of them may be marked.

import { h } from "./dom.js";
import { drawHeatmap, drawPixels } from "./heatmap.js";

const PICTURE_GAP = 2; // pixels between pictures, which show the card
const CLEAR = 0; // the value of these; pictures have 1 to 255

/** `onpick(index, x, y)` is called when a picture is clicked, at shares of its width and height. */
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
    const clear = map.slice();
    clear[CLEAR] = 0;
    this.lay(n, height, width);
    const sheet = this.filled(new Uint8Array(this.high * this.wide).fill(CLEAR), data);
    drawHeatmap(this.canvas, sheet, this.high, this.wide, clear);
    this.frame(marked);
  }

  /** Draw an array (pictures, height, width, 3) of red, green and blue. */
  showColours({ shape: [n, height, width], data }, marked = null) {
    this.lay(n, height, width);
    const packed = Uint32Array.from({ length: n * height * width }, (_, i) =>
      (255 << 24) | (data[3 * i + 2] << 16) | (data[3 * i + 1] << 8) | data[3 * i]);
    const sheet = this.filled(new Uint32Array(this.high * this.wide), packed);
    drawPixels(this.canvas, sheet, this.high, this.wide);
    this.frame(marked);
  }

  /** Note the sizes of one picture and of the sheet. */
  lay(n, height, width) {
    Object.assign(this, { n, height, width, rows: Math.ceil(n / this.columns) });
    this.wide = this.columns * (width + PICTURE_GAP) - PICTURE_GAP;
    this.high = Math.max(1, this.rows * (height + PICTURE_GAP) - PICTURE_GAP);
  }

  /** Put the pictures' values onto the sheet. */
  filled(sheet, data) {
    const { n, height, width, wide, columns } = this;
    for (let i = 0; i < n; i++) {
      const corner = Math.floor(i / columns) * (height + PICTURE_GAP) * wide + (i % columns) * (width + PICTURE_GAP);
      for (let row = 0; row < height; row++) {
        const from = (i * height + row) * width;
        sheet.set(data.subarray(from, from + width), corner + row * wide);
      }
    }
    return sheet;
  }

  frame(marked) {
    this.mark.hidden = marked === null || marked >= this.n;
    if (this.mark.hidden) return;
    const share = (index, size, all) => [`${(100 * index * (size + PICTURE_GAP)) / all}%`, `${(100 * size) / all}%`];
    const [left, width] = share(marked % this.columns, this.width, this.wide);
    const [top, height] = share(Math.floor(marked / this.columns), this.height, this.high);
    Object.assign(this.mark.style, { left, width, top, height });
  }

  pick(event) {
    const box = this.canvas.getBoundingClientRect();
    const [stepX, stepY] = [this.width + PICTURE_GAP, this.height + PICTURE_GAP];
    const x = ((event.clientX - box.left) / box.width) * this.wide;
    const y = ((event.clientY - box.top) / box.height) * this.high;
    const [column, row] = [Math.floor(x / stepX), Math.floor(y / stepY)];
    const index = row * this.columns + column;
    if (x < 0 || y < 0 || column >= this.columns || index >= this.n) return;
    this.onpick(index, (x - column * stepX) / this.width, (y - row * stepY) / this.height);
  }
}
