// A dense network, drawn: a heat map in every unit, weights as signed lines, + and - for layers and units.

import { cssColour } from "./colours.js";
import { h, s, write } from "./dom.js";
import { drawHeatmap } from "./heatmap.js";
import { decimal } from "./numbers.js";

const THINNEST = 0.4;
const WIDTH_PER_WEIGHT = 1.8;
const WIDEST = 9;

/** Return how wide a line is, in pixels. */
export function lineWidth(weight) {
  return Math.min(WIDEST, THINNEST + WIDTH_PER_WEIGHT * Math.abs(weight));
}

/** The diagram. `actions`: input(name), select(layer, unit), shape(sizes), weight(layer, from, unit), settings(layer). */
export class NetworkDiagram {
  constructor({ words, actions, live, mostUnits }) {
    Object.assign(this, { words, actions, live, mostUnits });
    this.links = s("g");
    this.hits = s("g", {
      onpointermove: (event) => this.point(event), onpointerleave: () => this.point(),
      onclick: ({ target }) => live && target.line && this.actions.weight(...target.line.address),
    });
    this.tip = h("div", { class: "tip", testid: "weight-tip", hidden: true });
    this.layers = h("div", { class: "layers" });
    const lines = s("svg", { "aria-hidden": "true" }, this.links, this.hits);
    this.element = h("div", { class: "network" }, lines, this.layers, this.tip);
    new ResizeObserver(() => this.placeLinks()).observe(this.element);
  }

  /** Make the columns: all inputs (those `on` are used), then one per layer; the last is the output. */
  build({ inputs, sizes }) {
    const shape = sizes.slice(0, -1);
    this.units = sizes.map((size, layer) =>
      Array.from({ length: size }, (_, unit) => this.unit(layer, unit, layer === shape.length)));
    this.inputs = inputs.map((input) => this.input(input));
    this.layers.style.setProperty("--columns", sizes.length + 1);
    const columns = shape.map((size, layer) => this.column(this.layerHead(shape, layer), this.units[layer]));
    this.layers.replaceChildren(
      this.column([h("span", {}, this.words.inputs)], this.inputs.map(({ row }) => row)),
      ...columns,
      this.column([h("span", {}, this.words.output)], this.units.at(-1)),
    );
    this.sources = [this.inputs.filter(({ on }) => on).map(({ unit }) => unit), ...this.units.slice(0, -1)];
    this.buildLinks();
  }

  column(head, units) {
    const parts = [h("div", { class: "layer-head" }, head), h("div", { class: "layer-units" }, units)];
    return h("div", { class: "layer" }, parts);
  }

  layerHead(shape, layer) {
    const { words } = this;
    const size = shape[layer];
    const resized = (change) => shape.map((units, i) => (i === layer ? units + change : units));
    const button = (text, name, testid, disabled, change) => h("button", {
      type: "button", class: "mini", "aria-label": name, title: name, testid, disabled: disabled || !this.live,
      onclick: () => this.actions.shape(resized(change)),
    }, text);
    const count = h("span", { testid: `layer-${layer + 1}-units` }, String(size));
    return [
      this.settingsButton(layer, size, count),
      h("div", { class: "row" },
        button("\u2212", words.removeUnit(layer + 1), `layer-${layer + 1}-remove`, size <= 1, -1),
        button("+", words.addUnit(layer + 1), `layer-${layer + 1}-add`, size >= this.mostUnits, +1)),
    ];
  }

  /** The button that shows a layer's settings; it says how many units the layer has. */
  settingsButton(layer, size, count) {
    const name = this.words.layerSettings(layer + 1, size);
    return h("button", {
      type: "button", class: "quiet layer-button", testid: `layer-${layer + 1}-settings`, "aria-label": name, title: name,
      "aria-pressed": false, onclick: () => this.actions.settings(layer + 1),
    }, count, h("small", {}, this.words.units(size)));
  }

  unit(layer, unit, isOutput) {
    const name = isOutput ? this.words.outputUnit : this.words.unit(layer + 1, unit + 1);
    const testid = isOutput ? "unit-output" : `unit-${layer + 1}-${unit + 1}`;
    const canvas = h("canvas");
    const bias = h("i");
    const select = () => (isOutput ? this.actions.select() : this.actions.select(layer + 1, unit + 1));
    const button = h("button", {
      type: "button", class: "unit", testid, "aria-label": name, "aria-pressed": false, title: this.words.showUnit,
      onclick: select,
    }, canvas, bias);
    return Object.assign(button, { canvas, bias, name, short: this.words.shortUnit(unit + 1) });
  }

  input({ name, label, on }) {
    const canvas = h("canvas");
    const unit = h("button", {
      type: "button", class: "unit", testid: `input-${name}`, "aria-label": this.words.input(label), "aria-pressed": on,
      disabled: !this.live, onclick: () => this.actions.input(name, !on),
    }, canvas);
    Object.assign(unit, { name: label, short: label });
    return { on, canvas, unit, row: h("div", { class: "input" }, h("span", {}, label), unit) };
  }

  buildLinks() {
    const path = (look) => s("path", { class: look });
    const line = (address, from, to) => ({ address, from, to, path: path("link"), hit: path("link-hit") });
    this.lines = this.units.flatMap((units, layer) =>
      this.sources[layer].flatMap((from, i) => units.map((to, j) => line([layer + 1, i + 1, j + 1], from, to))));
    for (const made of this.lines) made.hit.line = made;
    this.links.replaceChildren(...this.lines.map(({ path }) => path));
    this.hits.replaceChildren(...this.lines.map(({ hit }) => hit));
    this.placeLinks();
  }

  placeLinks() {
    if (!this.lines) return;
    const origin = this.element.getBoundingClientRect();
    const boxes = new Map();
    const box = (unit) => boxes.get(unit) ?? boxes.set(unit, unit.getBoundingClientRect()).get(unit);
    for (const { from, to, path, hit } of this.lines) {
      const [a, b] = [box(from), box(to)];
      const [x1, y1] = [a.right + 2 - origin.left, a.top + a.height / 2 - origin.top];
      const [x2, y2] = [b.left - 2 - origin.left, b.top + b.height / 2 - origin.top];
      const middle = (x1 + x2) / 2;
      const d = `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
      path.setAttribute("d", d);
      hit.setAttribute("d", d);
    }
  }

  /** Draw the pictures of the inputs, which stay while the network learns. */
  showInputs({ shape: [, height, width], data }, map) {
    this.inputs.forEach(({ canvas }, i) => {
      drawHeatmap(canvas, data.subarray(i * height * width, (i + 1) * height * width), height, width, map);
    });
  }

  /** Mark the line of the weight with this address, and the layer whose settings are shown. */
  choose(address, layer) {
    for (const line of this.lines) line.path.classList.toggle("chosen", line.address.join() === address.join());
    this.layers.querySelectorAll(".layer-button").forEach((button, i) => button.setAttribute("aria-pressed", i + 1 === layer));
  }

  /** What the weight with this address connects: the unit or input below, which the bias has not, and the unit. */
  ends([layer, from, unit]) {
    return [from ? this.sources[layer - 1]?.[from - 1] : null, this.units[layer - 1]?.[unit - 1]];
  }

  /** Draw one moment: `maps` (units x height x width, layer by layer), flat `weights` and `biases`. */
  show({ maps, weights, biases }, map, selected) {
    const [, height, width] = maps.shape;
    this.units.flat().forEach((unit, i) => {
      drawHeatmap(unit.canvas, maps.data.subarray(i * height * width, (i + 1) * height * width), height, width, map);
      unit.bias.style.background = cssColour(map, biases.data[i]);
      unit.setAttribute("aria-pressed", unit === selected);
    });
    this.lines.forEach((line, i) => this.showLine(line, weights.data[i]));
    if (this.pointed) this.writeTip();
  }

  showLine(line, weight) {
    const width = lineWidth(weight).toFixed(1);
    line.weight = weight;
    if (width !== line.width) {
      line.width = width;
      line.path.setAttribute("stroke-width", width);
      line.path.setAttribute("stroke-opacity", Math.min(0.95, 0.3 + 0.35 * Math.abs(weight)).toFixed(2));
    }
    if (weight < 0 !== line.isMinus) {
      line.isMinus = weight < 0;
      line.path.classList.toggle("minus", line.isMinus);
    }
  }

  /** Return the unit of this 1-based address, or undefined. */
  find([layer, unit]) {
    return this.units[layer - 1]?.[unit - 1];
  }

  /** Return the lines that lead into a unit. */
  into(unit) {
    return this.lines.filter(({ to }) => to === unit);
  }

  point(event) {
    this.pointed = event?.target.line;
    this.tip.hidden = !this.pointed;
    if (!this.pointed) return;
    const origin = this.element.getBoundingClientRect();
    this.tip.style.left = `${event.clientX - origin.left}px`;
    this.tip.style.top = `${event.clientY - origin.top}px`;
    this.writeTip();
  }

  writeTip() {
    const { from, to, weight } = this.pointed;
    write(this.tip, this.words.weight(from.name, to.name, decimal(weight)));
  }
}
