// A square of the (x1, x2) plane: heat map below, points above, axes beside, and a probe.

import { cssColour } from "./colours.js";
import { h } from "./dom.js";
import { drawHeatmap, sharpCanvas } from "./heatmap.js";
import { decimal } from "./numbers.js";

const RADIUS = 2.9;
const SMALL_RADIUS = 2.2;
const MANY = 500;
const USUAL_WIDTH = 240;
const PROBE_STEP = 0.25;

/** `half` is half the side of the square; `onprobe(x1, x2)` is called as the visitor points, and with null after;
 * `onpick([x1, x2])` when the visitor clicks or presses Enter. Without `onprobe` it is a picture. */
export class Plane {
  constructor({ half, ticks, names, label, testid = "map", onprobe = null, onpick = () => {} }) {
    Object.assign(this, { half, onprobe, onpick });
    this.heat = h("canvas");
    this.points = h("canvas");
    this.mark = h("div", { class: "plane-probe", hidden: true });
    const listeners = onprobe ? {
      tabindex: 0, onpointermove: (event) => this.point(event), onpointerleave: () => this.leave(),
      onclick: () => this.probed && this.onpick(this.probed),
      onkeydown: (event) => this.move(event), onblur: () => this.leave(),
    } : {};
    const attributes = { role: onprobe ? "application" : "img", "aria-label": label, testid, ...listeners };
    this.map = h("div", { class: `plane-map${onprobe ? " probed" : ""}`, ...attributes }, this.heat, this.points, this.mark);
    this.element = h("div", { class: "plane" }, this.map, this.axes(ticks, names));
    new ResizeObserver(() => this.drawPoints()).observe(this.map);
  }

  axes(ticks, names) {
    const axis = h("div", { class: "plane-axis", "aria-hidden": "true" });
    const text = (kind, content, side, share) => {
      const label = h("span", { class: kind }, content);
      if (side) label.style[side] = `${100 * share}%`;
      axis.append(label);
    };
    for (const tick of ticks) {
      const share = (tick + this.half) / (2 * this.half);
      text("x", decimal(tick, 0), "left", share);
      text("y", decimal(tick, 0), "top", 1 - share);
    }
    text("x name", names[0]);
    text("y name", names[1]);
    return axis;
  }

  /** Draw the heat map, uint8 (height, width), row 0 on top. */
  showMap({ shape: [height, width], data }, map) {
    drawHeatmap(this.heat, data, height, width, map);
  }

  /** Draw the points: groups of rows (x1, x2, value in [-1, 1]); `isHollow` groups as rings. */
  showPoints(groups, map, edge) {
    this.drawn = { groups, map, edge };
    this.drawPoints();
  }

  drawPoints() {
    if (!this.drawn || !this.points.clientWidth) return;
    const { groups, map, edge } = this.drawn;
    const { context, width, height } = sharpCanvas(this.points);
    context.clearRect(0, 0, width, height);
    const isMany = groups.reduce((n, { rows }) => n + rows.length / 3, 0) > MANY;
    const radius = (isMany ? SMALL_RADIUS : RADIUS) * Math.max(1, width / USUAL_WIDTH);
    for (const { rows, isHollow } of groups) {
      for (let i = 0; i < rows.length; i += 3) {
        const [x, y] = [this.toPixel(rows[i], width), height - this.toPixel(rows[i + 1], height)];
        drawPoint(context, x, y, { radius, colour: cssColour(map, rows[i + 2]), edge, isHollow });
      }
    }
  }

  toPixel(value, size) {
    return ((value + this.half) / (2 * this.half)) * size;
  }

  point(event) {
    const box = this.map.getBoundingClientRect();
    const x1 = ((event.clientX - box.left) / box.width - 0.5) * 2 * this.half;
    const x2 = (0.5 - (event.clientY - box.top) / box.height) * 2 * this.half;
    this.probe(x1, x2);
  }

  move(event) {
    if (event.key === "Enter" && this.probed) return this.onpick(this.probed);
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [x1, x2] = this.probed ?? [0, 0];
    this.probe(x1 + PROBE_STEP * step[0], x2 + PROBE_STEP * step[1]);
  }

  probe(x1, x2) {
    const inside = (value) => Math.max(-this.half, Math.min(this.half, value));
    this.probed = [inside(x1), inside(x2)];
    const share = (value) => `${50 + (50 * value) / this.half}%`;
    this.mark.style.left = share(this.probed[0]);
    this.mark.style.top = share(-this.probed[1]);
    this.mark.hidden = false;
    this.onprobe(this.probed);
  }

  leave() {
    this.probed = null;
    this.mark.hidden = true;
    this.onprobe(null);
  }
}

/** Draw one point: a disc with an edge, or a ring. */
function drawPoint(context, x, y, { radius, colour, edge, isHollow }) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = isHollow ? 3 : 1;
  context.strokeStyle = edge;
  context.fillStyle = colour;
  if (!isHollow) context.fill();
  context.stroke();
  if (!isHollow) return;
  context.lineWidth = 1.6;
  context.strokeStyle = colour;
  context.stroke();
}

/** Draw points into a small picture of a data set. */
export function drawThumbnail(canvas, rows, half, map) {
  if (!canvas.clientWidth) return;
  const { context, width, height } = sharpCanvas(canvas);
  context.clearRect(0, 0, width, height);
  const share = (value) => (value + half) / (2 * half);
  for (let i = 0; i < rows.length; i += 3) {
    context.fillStyle = cssColour(map, rows[i + 2]);
    context.beginPath();
    context.arc(share(rows[i]) * width, (1 - share(rows[i + 1])) * height, 1.5, 0, 2 * Math.PI);
    context.fill();
  }
}
