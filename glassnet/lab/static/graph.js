// A graph: two axes with ticks, a heat map below, lines and dots above, and handles that can be dragged.

import { h, s, write } from "./dom.js";
import { drawHeatmap } from "./heatmap.js";
import { decimal } from "./numbers.js";

// distances in units of the font size
const MARGINS = { left: 3.6, right: 0.8, top: 0.7, bottom: 2.9 };
const TICKS_WANTED = 5;
const KEY_STEP = 0.01; // of the axis' length

/**
 * `isSquare` makes the drawing as high as wide; `onpoint(x, y)` is called when the visitor clicks; `xTicks` are
 * the values that get a tick, by default round ones; `xTick` and `yTick` write the ticks' numbers, which have `left`
 * letters' room.
 */
export class Graph {
  constructor({ xLabel = "", yLabel = "", label, testid, isSquare = false, onpoint = null, xTicks, xTick, yTick, left = null }) {
    Object.assign(this, { isSquare, onpoint, xTicks, xTick, yTick, handles: [], margins: { ...MARGINS, ...(left && { left }) } });
    this.heat = h("canvas", { hidden: true });
    this.grid = s("g", { class: "graph-grid" });
    this.marks = s("g");
    this.handleLayer = s("g");
    this.xText = s("text", { class: "graph-label", "text-anchor": "middle" }, xLabel);
    this.yText = s("text", { class: "graph-label", "text-anchor": "middle" }, yLabel);
    this.clip = s("clipPath", { id: `clip-${testid}` }, s("rect"));
    const clipped = s("g", { "clip-path": `url(#clip-${testid})` }, this.marks);
    this.svg = s("svg", { role: "img", "aria-label": label }, this.clip, this.grid, clipped, this.handleLayer,
      this.xText, this.yText);
    const onclick = (event) => this.click(event);
    const look = `graph${isSquare ? " square-graph" : ""}${onpoint ? " clickable" : ""}`;
    this.element = h("div", { class: look, testid, onclick }, this.heat, this.svg);
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  set yLabel(text) {
    write(this.yText, text);
  }

  set xLabel(text) {
    write(this.xText, text);
  }

  resize() {
    if (!this.element.isConnected) return;
    const em = parseFloat(getComputedStyle(this.element).fontSize);
    const width = this.element.clientWidth;
    const edges = Object.fromEntries(Object.entries(this.margins).map(([side, value]) => [side, value * em]));
    if (this.isSquare) this.element.style.height = `${width - edges.left - edges.right + edges.top + edges.bottom}px`;
    const height = this.element.clientHeight;
    Object.assign(this, { em, left: edges.left, top: edges.top, right: width - edges.right });
    this.bottom = height - edges.bottom;
    const box = { x: this.left, y: this.top, width: this.right - this.left, height: this.bottom - this.top };
    for (const [name, value] of Object.entries(box)) this.clip.firstChild.setAttribute(name, Math.max(0, value));
    Object.assign(this.heat.style, {
      left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px`,
    });
    this.xText.setAttribute("transform", `translate(${(this.left + this.right) / 2} ${height - 0.5 * em})`);
    this.yText.setAttribute("transform", `translate(${em} ${(this.top + this.bottom) / 2}) rotate(-90)`);
    if (this.shown) this.show(this.shown);
  }

  /**
   * Draw. `range` is [x0, x1, y0, y1]; `heat` {values, map} a uint8 array (height, width), row 0 on top;
   * `marks` a list of {kind: "line" | "dots" | "bars" | "band" | "text", ...}, drawn in their order.
   */
  show(shown) {
    this.shown = shown;
    if (!this.em || this.right <= this.left) return;
    const { range, heat, marks } = shown;
    this.range = range;
    this.drawGrid();
    this.heat.hidden = !heat;
    if (heat) drawHeatmap(this.heat, heat.values.data, heat.values.shape[0], heat.values.shape[1], heat.map);
    this.marks.replaceChildren(...marks.flatMap((mark) => this.mark(mark)));
    for (const handle of this.handles) handle.draw();
  }

  x(value) {
    const [x0, x1] = this.range;
    return this.left + ((value - x0) / (x1 - x0)) * (this.right - this.left);
  }

  y(value) {
    const [, , y0, y1] = this.range;
    return this.bottom - ((value - y0) / (y1 - y0)) * (this.bottom - this.top);
  }

  drawGrid() {
    const [x0, x1, y0, y1] = this.range;
    const { left, right, top, bottom, em } = this;
    const text = (value, tick) => (tick ? tick(value) : tickText(value));
    const vertical = (this.xTicks ?? ticksBetween(x0, x1)).flatMap((value) => [
      s("line", { x1: this.x(value), x2: this.x(value), y1: top, y2: bottom }),
      s("text", { x: this.x(value), y: bottom + 1.15 * em, "text-anchor": "middle" }, text(value, this.xTick)),
    ]);
    const horizontal = ticksBetween(y0, y1).flatMap((value) => [
      s("line", { x1: left, x2: right, y1: this.y(value), y2: this.y(value) }),
      s("text", { x: left - 0.4 * em, y: this.y(value) + 0.35 * em, "text-anchor": "end" }, text(value, this.yTick)),
    ]);
    const frame = s("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: "none" });
    this.grid.replaceChildren(...vertical, ...horizontal, frame);
  }

  mark(mark) {
    const { look = "", name = null } = mark;
    switch (mark.kind) {
      case "line":
        return s("path", { class: `graph-line ${look}`, d: this.path(mark), fill: "none", testid: name });
      case "dots":
        return this.dots(mark);
      case "bars":
        return this.bars(mark);
      case "band": {
        const [start, stop] = mark.between.map((value) => this.x(Math.max(this.range[0], Math.min(this.range[1], value))));
        const size = { x: start, width: Math.max(0, stop - start), y: this.top, height: this.bottom - this.top };
        return s("rect", { class: `graph-band ${look}`, ...size });
      }
      default: {
        const place = { x: this.x(mark.x), y: this.y(mark.y), "text-anchor": mark.anchor ?? "middle" };
        return s("text", { class: `graph-text ${look}`, ...place }, mark.text);
      }
    }
  }

  /** The path of a line through `points`, rows of `columns` numbers of which `at` names x and y. */
  path({ points, columns = 2, at = [0, 1], isClosed = false }) {
    let d = "";
    for (let i = 0; i + columns <= points.length; i += columns) {
      const [x, y] = [points[i + at[0]], points[i + at[1]]];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      d += `${d ? "L" : "M"}${inside(this.x(x)).toFixed(1)} ${inside(this.y(y)).toFixed(1)}`;
    }
    return d && isClosed ? `${d}Z` : d;
  }

  dots({ points, columns = 2, at = [0, 1], radius = 0.32, look = "", colour = () => null }) {
    const dots = [];
    for (let i = 0; i + columns <= points.length; i += columns) {
      const [x, y] = [points[i + at[0]], points[i + at[1]]];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      const place = { cx: inside(this.x(x)), cy: inside(this.y(y)), r: radius * this.em };
      const kind = typeof look === "function" ? look(i / columns) : look;
      dots.push(s("circle", { class: `graph-dot ${kind}`, ...place, fill: colour(i / columns) }));
    }
    return dots;
  }

  /** Bars of `values` above `floor`, at x = 1, 2, ... */
  bars({ values, floor, look = "" }) {
    return Array.from(values, (value, i) => {
      const [start, stop] = [this.x(i + 0.62), this.x(i + 1.38)];
      const top = this.y(Math.max(floor, value));
      const size = { x: start, width: stop - start, y: top, height: Math.max(0, this.y(floor) - top) };
      return s("rect", { class: `graph-bar ${look}`, ...size });
    });
  }

  // the visitor's hand

  /** What point of the graph an event happened at, or null beside it. */
  at(event) {
    const box = this.svg.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    if (px < this.left || px > this.right || py < this.top || py > this.bottom) return null;
    return this.inverse(px, py);
  }

  inverse(px, py) {
    const [x0, x1, y0, y1] = this.range;
    const x = x0 + ((px - this.left) / (this.right - this.left)) * (x1 - x0);
    return [x, y1 - ((py - this.top) / (this.bottom - this.top)) * (y1 - y0)];
  }

  click(event) {
    const point = this.onpoint && event.target.closest(".graph-handle") === null ? this.at(event) : null;
    if (point) this.onpoint(...point);
  }

  /** Make a handle that can be dragged, or moved by the arrow keys; `place(x, y)` puts it where it belongs. */
  handle({ label, testid, ondrag, isLocked = false }) {
    const knob = s("circle", {
      class: "graph-handle", tabindex: isLocked ? null : 0, role: "button", "aria-label": label, testid, r: 8,
    });
    const handle = {
      element: knob,
      place: (x, y) => {
        handle.point = [x, y];
        handle.draw();
      },
      draw: () => {
        if (!handle.point || !this.range) return;
        knob.setAttribute("cx", inside(this.x(handle.point[0])));
        knob.setAttribute("cy", inside(this.y(handle.point[1])));
      },
    };
    this.handles.push(handle);
    this.handleLayer.append(knob);
    if (!isLocked) {
      this.svg.setAttribute("role", "group"); // what can be used must not lie in a picture
      this.listen(knob, handle, ondrag);
    }
    return handle;
  }

  listen(knob, handle, ondrag) {
    knob.addEventListener("pointerdown", (event) => {
      knob.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    knob.addEventListener("pointermove", (event) => {
      const point = knob.hasPointerCapture(event.pointerId) && this.at(event);
      if (point) ondrag(...point);
    });
    knob.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      const [x0, x1, y0, y1] = this.range;
      ondrag(handle.point[0] + move[0] * KEY_STEP * (x1 - x0), handle.point[1] + move[1] * KEY_STEP * (y1 - y0));
    });
  }
}

/** Keep a pixel where a browser can draw it. */
function inside(pixel) {
  return Math.max(-1e4, Math.min(1e4, pixel));
}

/** Return round numbers between two, about `TICKS_WANTED`. */
export function ticksBetween(low, high) {
  const rough = (high - low) / TICKS_WANTED;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= rough * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
  return ticks;
}

/** The rows of a path up to a step; a row begins with its step. */
export function pathUpTo(data, columns, step) {
  let end = 0;
  while (end < data.length && data[end] <= step) end += columns;
  return Array.from(data.subarray(0, end));
}

/** Where the row x, y, ... of `columns` numbers that lies nearest to a point begins in `rows`. */
export function nearestRow(rows, columns, x, y) {
  let [best, least] = [0, Infinity];
  for (let i = 0; i < rows.length; i += columns) {
    const distance = Math.hypot(rows[i] - x, rows[i + 1] - y);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

function tickText(value) {
  return decimal(+value.toPrecision(3), 6).replace(/\.?0+$/, "");
}
