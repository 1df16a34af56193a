// Line charts over training steps, in SVG.

import { s, write } from "./dom.js";
import { shortNumber } from "./numbers.js";

// distances in units of the font size
const MARGIN = { left: 4.2, right: 0.6, top: 0.7, bottom: 3 };
const TICK = 1.35;

/** Curves over steps, with axes and a line at the step that is shown. */
export class StepChart {
  constructor({ xLabel, yLabel, names, testid }) {
    this.grid = s("g", { class: "chart-grid" });
    this.paths = names.map((name) => s("path", { class: `chart-line ${name}`, fill: "none" }));
    this.now = s("line", { class: "chart-now" });
    this.yText = s("text", { class: "chart-label", "text-anchor": "middle" }, yLabel);
    this.xText = s("text", { class: "chart-label", "text-anchor": "middle" }, xLabel);
    const parts = [this.grid, this.now, this.paths, this.xText, this.yText];
    this.element = s("svg", { class: "chart", role: "img", testid }, ...parts);
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  set yLabel(text) {
    write(this.yText, text);
  }

  resize() {
    const { width, height } = this.element.getBoundingClientRect();
    const em = parseFloat(getComputedStyle(this.element).fontSize);
    this.em = em;
    this.left = MARGIN.left * em;
    this.right = width - MARGIN.right * em;
    this.top = MARGIN.top * em;
    this.bottom = height - MARGIN.bottom * em;
    this.now.setAttribute("y1", this.top);
    this.now.setAttribute("y2", this.bottom);
    this.xText.setAttribute("transform", `translate(${(this.left + this.right) / 2} ${height - 0.4 * em})`);
    this.yText.setAttribute("transform", `translate(${em} ${(this.top + this.bottom) / 2}) rotate(-90)`);
    this.gridKey = null;
    if (this.drawn) this.draw(...this.drawn);
  }

  /** Draw `points` (rows of step and one number per curve); the line stands at `step`. */
  draw(points, step, last) {
    this.drawn = [points, step, last];
    if (!this.em) return;
    const { shape: [rows, columns], data } = points;
    const xMax = niceCeiling(Math.max(last, 1));
    let highest = 0;
    for (let i = 0; i < data.length; i++) if (i % columns && data[i] > highest && data[i] < Infinity) highest = data[i];
    const yMax = niceCeiling(highest || 1);
    const x = (value) => this.left + (value / xMax) * (this.right - this.left);
    const y = (value) => this.bottom - (value / yMax) * (this.bottom - this.top);
    this.drawGrid(x, y, xMax, yMax);
    this.paths.forEach((path, k) => {
      let d = "";
      for (let row = 0; row < rows; row++) {
        const value = data[row * columns + k + 1];
        if (Number.isFinite(value)) d += `${d ? "L" : "M"}${x(data[row * columns]).toFixed(1)} ${y(value).toFixed(1)}`;
      }
      path.setAttribute("d", d);
    });
    this.now.setAttribute("x1", x(step));
    this.now.setAttribute("x2", x(step));
  }

  drawGrid(x, y, xMax, yMax) {
    const key = `${xMax} ${yMax}`;
    if (key === this.gridKey) return;
    this.gridKey = key;
    const text = (value, place, anchor) => s("text", { ...place, "text-anchor": anchor }, shortNumber(value));
    const horizontal = [0, yMax / 2, yMax].map((value) => [
      s("line", { x1: this.left, x2: this.right, y1: y(value), y2: y(value) }),
      text(value, { x: this.left - 0.5 * this.em, y: y(value) + 0.35 * this.em }, "end"),
    ]);
    const vertical = [0, xMax / 2, xMax].map((value, i) =>
      text(value, { x: x(value), y: this.bottom + TICK * this.em }, ["start", "middle", "end"][i]));
    this.grid.replaceChildren(...horizontal.flat(), ...vertical);
  }
}

/** Return the smallest of 1, 2, 4, 5, 8, 10 times a power of ten that is not below `value`. */
export function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 8, 10].map((factor) => factor * power).find((nice) => nice >= value * 0.999999);
}
