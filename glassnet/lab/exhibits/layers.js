// Data transformers: the plane in every layer, and one layer in four forms. It draws what Python computed.

import { h, s, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { decimal, lossText } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const SIDE_OF_INPUTS = 6;
const INPUT_SCALE = 3;
const WIRES = { width: 220, height: 120, left: 46, right: 174, rows: [34, 86], cell: 15 };
const WIDEST_WIRE = 7;

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new LayersView(root, context);
}

class LayersView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { words, controls, change, live });
    this.strip = h("div", { class: "strip" });
    this.curves = new Graph({ xLabel: words.along, yLabel: words.h, label: words.curvesLabel, testid: "curves" });
    this.wires = s("svg", { class: "wiring", viewBox: `0 0 ${WIRES.width} ${WIRES.height}`, role: "img", "aria-label": words.wiresLabel, testid: "wires" });
    root.replaceChildren(h("div", { class: "bench roomy" }, this.settingsCard(), this.mainCard(), this.sideCard()));
  }

  settingsCard() {
    const { controls, words } = this;
    return h("section", { class: "card settings" },
      controls.select("dataset"), controls.slider("noise", { unit: "%" }), controls.slider("depth"),
      controls.select("activation"), controls.select("learningRate"), controls.seed("seed"),
      controls.slider("x1", { step: 0.1 }), controls.slider("x2", { step: 0.1 }), h("p", { class: "note" }, words.note));
  }

  mainCard() {
    const { words } = this;
    this.title = h("h2");
    this.formulas = [h("p", { class: "formula", testid: "equation-1" }), h("p", { class: "formula", testid: "equation-2" })];
    return h("section", { class: "card main" },
      h("h2", {}, words.stripTitle), this.strip, h("p", { class: "callout", testid: "verdict" }, words.verdict),
      this.title,
      h("div", { class: "forms" }, h("div", {}, this.wires, ...this.formulas), h("div", {}, this.curves.element,
        h("div", { class: "legend" }, h("span", {}, h("i", { class: "line first" }), words.unit(1)),
          h("span", {}, h("i", { class: "line second" }), words.unit(2))))));
  }

  sideCard() {
    const { words } = this;
    this.loss = readout(words.loss, "loss");
    this.error = readout(words.error, "error");
    this.probability = readout(words.probability, "probability");
    this.signal = h("table", { testid: "signal" });
    this.batch = h("table", { testid: "batch" });
    return h("section", { class: "card side" }, h("div", { class: "numbers" }, this.loss, this.error), this.probability,
      h("h2", {}, words.signalTitle), this.signal, h("h2", {}, words.batchTitle), this.batch);
  }

  show(now, isNew) {
    this.now = now;
    const { frame } = now;
    if (isNew) this.showShape();
    write(this.loss.output, lossText(frame.loss));
    write(this.error.output, `${(100 * frame.error).toFixed(1)}%`);
    write(this.probability.output, frame.probability.toFixed(3));
    this.showStrip();
    this.showLook();
    this.showTables();
  }

  /** Make one plane for the input and one for every layer. */
  showShape() {
    const { settings: { depth }, frame } = this.now;
    const { words } = this;
    if (this.planes?.length !== depth + 1) {
      this.planes = Array.from({ length: depth + 1 }, (_, layer) => new Graph({
        xLabel: words.axis(layer, 1), yLabel: words.axis(layer, 2), label: words.plane(layer), testid: `plane-${layer}`,
        isSquare: true, left: 3.2,
        onpoint: !this.live ? null : layer ? () => this.change({ look: layer }) : (x1, x2) => this.setPoint(x1, x2),
      }));
      const titles = this.planes.map((plane, layer) => layer === 0
        ? h("strong", {}, words.input)
        : h("button", { type: "button", class: "quiet", testid: `look-${layer}`, disabled: !this.live,
          onclick: () => this.change({ look: layer }) }, words.layer(layer)));
      this.titles = titles;
      this.strip.replaceChildren(...this.planes.map((plane, layer) => h("div", {}, titles[layer], plane.element)));
    }
    this.titles.forEach((title, layer) => layer && title.setAttribute("aria-pressed", String(layer === frame.look)));
  }

  setPoint(x1, x2) {
    const inside = (value) => +Math.max(-SIDE_OF_INPUTS, Math.min(SIDE_OF_INPUTS, value * INPUT_SCALE)).toFixed(1);
    this.change({ x1: inside(x1), x2: inside(x2) });
  }

  showStrip() {
    const { arrays: { grid, points, labels, batch }, frame, scene } = this.now;
    const [, n] = grid.shape;
    const [, nPoints] = points.shape;
    const look = (i) => (labels.data[i] > 0 ? "plus" : "minus");
    this.planes.forEach((plane, layer) => {
      const rows = grid.data.subarray(2 * n * layer, 2 * n * (layer + 1));
      const lines = Array.from({ length: scene.lines }, (_, line) => ({
        kind: "line", look: line < scene.lines / 2 ? "warp" : "weft",
        points: rows.subarray(2 * scene.along * line, 2 * scene.along * (line + 1)),
      }));
      plane.show({ range: frame.ranges[layer], marks: [...lines,
        { kind: "dots", points: points.data.subarray(2 * nPoints * layer, 2 * nPoints * (layer + 1)), look, radius: 0.22 },
        { kind: "dots", points: batch.data.subarray(6 * layer, 6 * layer + 2), look: "here", radius: 0.5 },
      ] });
    });
  }

  showLook() {
    const { arrays: { curves, weights, biases }, frame: { look }, settings } = this.now;
    const { words } = this;
    write(this.title, words.formsTitle(look));
    const w = weights.data.subarray(4 * (look - 1), 4 * look); // (in, out)
    const b = biases.data.subarray(2 * (look - 1), 2 * look);
    this.formulas.forEach((formula, unit) =>
      write(formula, words.equation(settings.activation, unit + 1, look, [w[unit], w[2 + unit], b[unit]].map((v) => decimal(v)))));
    this.showWires(w, look);
    const values = [];
    for (let i = 0; i < curves.data.length; i += 3) values.push(curves.data[i + 1], curves.data[i + 2]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = 0.1 * Math.max(high - low, 0.01);
    const range = [-SIDE_OF_INPUTS, SIDE_OF_INPUTS, low - margin, high + margin];
    const line = (kind, column) => ({ kind: "line", look: kind, points: curves.data, columns: 3, at: [0, column] });
    this.curves.show({ range, marks: [
      { kind: "line", look: "now", points: [settings.x1, range[2], settings.x1, range[3]] }, line("first", 1), line("second", 2),
    ] });
  }

  showWires(w, look) {
    const { left, right, rows, cell } = WIRES;
    const largest = Math.max(...w.map(Math.abs), 1e-6);
    const lines = [];
    const numbers = [];
    for (const from of [0, 1]) {
      for (const to of [0, 1]) {
        const weight = w[2 * from + to];
        const width = Math.max(0.5, (WIDEST_WIRE * Math.abs(weight)) / largest);
        lines.push(s("path", { class: `tie${weight < 0 ? " minus" : ""}`, d: `M${left} ${rows[from]}L${right} ${rows[to]}`, "stroke-width": width }));
        const share = from === to ? 0.5 : 0.27;
        numbers.push(s("text", { class: "weight", x: left + share * (right - left), y: rows[from] + share * (rows[to] - rows[from]) - 4, "text-anchor": "middle" }, decimal(weight)));
      }
    }
    const cells = [0, 1].flatMap((unit) => [
      s("circle", { class: "cell", cx: left, cy: rows[unit], r: cell }), s("circle", { class: "cell", cx: right, cy: rows[unit], r: cell }),
      s("text", { x: left - cell - 5, y: rows[unit] + 4, "text-anchor": "end" }, this.words.short(look - 1, unit + 1)),
      s("text", { x: right + cell + 5, y: rows[unit] + 4 }, this.words.short(look, unit + 1)),
    ]);
    this.wires.replaceChildren(...lines, ...numbers, ...cells);
  }

  showTables() {
    const { arrays: { batch, before }, scene } = this.now;
    const { words } = this;
    const nLayers = batch.shape[0];
    const pair = (values) => Array.from(values, (value) => decimal(value, 3)).join("  ");
    const rows = Array.from({ length: nLayers - 1 }, (_, l) => [
      words.layer(l + 1), pair(before.data.subarray(2 * l, 2 * l + 2)), pair(batch.data.subarray(6 * (l + 1), 6 * (l + 1) + 2)),
    ]);
    fillTable(this.signal, [words.place, words.z, words.hShort], rows);
    const samples = [0, 1, 2].map((sample) => [
      words.sample(sample), ...Array.from({ length: nLayers }, (_, l) =>
        Array.from(batch.data.subarray(6 * l + 2 * sample, 6 * l + 2 * sample + 2), (value) => decimal(value, 1)).join(" ")),
    ]);
    const shape = ([n, width]) => `${n}\u00d7${width}`;
    fillTable(this.batch, ["", ...Array.from({ length: nLayers }, (_, l) => `${l ? words.short(l, "") : "x"} ${shape(scene.shapes[l])}`)], samples);
  }
}

/** Write a table anew only where a text has changed. */
function fillTable(table, head, rows) {
  const key = JSON.stringify([head, rows]);
  if (table.key === key) return;
  table.key = key;
  table.replaceChildren(
    h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows.map(([name, ...cells]) =>
      h("tr", {}, h("th", { scope: "row" }, name), cells.map((cell) => h("td", {}, cell))))));
}
