// A net of threshold neurons, layer by layer; what fires is lit, and an input can be switched.

import { s } from "./dom.js";
import { decimal } from "./numbers.js";

const COLUMN = 92;
const ROW = 38;
const CELL = 13;
const SIDE = { left: 44, right: 52 };
const FEW = 6; // wires into a neuron up to which weights are written

/** `onswitch(i)` is called when the visitor switches input i; `inputLabel(name)` names it for a reader. */
export class Wiring {
  constructor({ label, testid, inputLabel, onswitch = null }) {
    Object.assign(this, { inputLabel, onswitch });
    this.element = s("svg", { class: "wiring", role: "group", "aria-label": label, testid });
  }

  /** Draw a net: names, `fires` (inputs first), thresholds and labels per layer, flat weights (in, out) per layer. */
  show({ inputNames, outputNames, fires, thresholds, labels }, weights) {
    const tallest = Math.max(...fires.map((layer) => layer.length));
    const [width, height] = [SIDE.left + SIDE.right + COLUMN * (fires.length - 1), ROW * tallest];
    const at = (layer, unit) => [SIDE.left + COLUMN * layer, height / 2 + ROW * (unit - (fires[layer].length - 1) / 2)];
    this.element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.element.style.maxWidth = `${1.25 * width}px`;
    const wires = this.wires(fires, weights, at);
    const inputs = fires[0].map((bit, i) => this.input(inputNames[i], bit, at(0, i), i));
    const cells = thresholds.flatMap((layer, l) => layer.map((threshold, i) => {
      const output = l === thresholds.length - 1 ? outputNames[i] : null;
      return this.cell(threshold, labels[l][i], fires[l + 1][i], at(l + 1, i), output);
    }));
    this.element.replaceChildren(...wires, ...inputs, ...cells);
  }

  wires(fires, weights, at) {
    const lines = [];
    const numbers = [];
    let k = 0;
    for (let layer = 1; layer < fires.length; layer++) {
      const isFew = fires[layer - 1].length * fires[layer].length <= FEW;
      for (let from = 0; from < fires[layer - 1].length; from++) {
        for (let to = 0; to < fires[layer].length; to++) {
          const weight = weights[k++];
          if (weight === 0 && !isFew) continue;
          const [[x1, y1], [x2, y2]] = [at(layer - 1, from), at(layer, to)];
          const look = `wire${weight < 0 ? " minus" : ""}${fires[layer - 1][from] ? " lit" : ""}`;
          lines.push(s("path", { class: look, d: `M${x1} ${y1}L${x2} ${y2}` }));
          const place = { class: "weight", x: x1 + 0.32 * (x2 - x1), y: y1 + 0.32 * (y2 - y1) + 4 };
          if (isFew) numbers.push(s("text", place, decimal(weight).replace(/\.?0+$/, "")));
        }
      }
    }
    return [...lines, ...numbers];
  }

  input(name, bit, [x, y], i) {
    const isLive = this.onswitch !== null;
    const flip = () => this.onswitch(i);
    const onkeydown = (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      flip();
      this.element.querySelectorAll("[role=button]")[i]?.focus();
    };
    const button = isLive
      ? { role: "button", tabindex: 0, "aria-label": this.inputLabel(name), "aria-pressed": bit === 1, onclick: flip, onkeydown }
      : {};
    return s("g", { class: bit ? "lit" : "", ...button },
      s("circle", { class: "cell", cx: x, cy: y, r: CELL }), s("text", { class: "inside", x, y: y + 4 }, String(bit)),
      s("text", { x: x - CELL - 6, y: y + 4, "text-anchor": "end" }, name));
  }

  cell(threshold, label, bit, [x, y], output) {
    return s("g", { class: `${bit ? "lit" : ""} ${label === "relay" ? "relay" : ""}` },
      s("title", {}, label),
      s("circle", { class: "cell", cx: x, cy: y, r: CELL }),
      s("text", { class: "inside", x, y: y + 4 }, decimal(threshold, 2).replace(/\.?0+$/, "")),
      output && s("text", { x: x + CELL + 6, y: y + 4 }, output));
  }
}
