// Normalization: a batch's values before and after, the slice that goes together, its histograms. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { drawHeatmap } from "../static/heatmap.js";
import { decimal } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const SHOWN_DEVIATIONS = 3; // of the normalized values, over the whole colour map

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new NormalizationView(root, context);
}

class NormalizationView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { root, words, controls, change, live });
    this.sides = { before: this.side("before"), after: this.side("after") };
    this.loss = readout(words.testError, "test-error");
    root.replaceChildren(h("div", { class: "bench roomy" }, this.settingsCard(), this.mainCard(), this.sideCard()));
    onThemeChange(() => this.now && this.show(this.now));
  }

  settingsCard() {
    const { controls, words } = this;
    return h("section", { class: "card settings" }, controls.select("norm"), controls.slider("inputScale", { step: 0.1 }),
      controls.slider("inputOffset", { step: 0.1 }), controls.select("activation"), controls.select("learningRate"),
      controls.seed("seed"), controls.slider("unit"), controls.slider("sample"), h("p", { class: "note" }, words.note));
  }

  side(name) {
    const { words, live } = this;
    const map = h("canvas", {
      class: "matrix", role: "img", "aria-label": words.maps[name], testid: `map-${name}`, onclick: (event) => live && this.pick(event),
    });
    const frame = h("div", { class: "slice" });
    const histogram = new Graph({ xLabel: words.axes[name], yLabel: words.count, label: words.histograms[name], testid: `histogram-${name}` });
    const numbers = { mean: readout(words.mean, `${name}-mean`), std: readout(words.std, `${name}-std`) };
    const element = h("div", { class: "form-of-layer" }, h("h2", {}, words.sides[name]), h("div", { class: "batch-map" }, map, frame),
      h("div", { class: "numbers" }, numbers.mean, numbers.std), histogram.element);
    return { map, frame, histogram, numbers, element };
  }

  mainCard() {
    const { words } = this;
    this.together = h("p", { class: "callout", testid: "together" });
    return h("section", { class: "card main" }, h("h2", {}, words.batchTitle), h("p", { class: "note" }, words.batchNote),
      h("div", { class: "three two" }, this.sides.before.element, this.sides.after.element), this.together);
  }

  sideCard() {
    const { words } = this;
    this.formula = h("p", { class: "formula" });
    this.statistics = h("tbody", { testid: "statistics" });
    this.learned = h("p", { class: "note", testid: "learned" });
    const heads = ["", words.mean, words.variance].map((text) => (text ? h("th", { scope: "col" }, text) : h("td")));
    return h("section", { class: "card side" }, this.loss, this.formula, h("h2", {}, words.statisticsTitle),
      h("table", {}, h("thead", {}, h("tr", {}, heads)), this.statistics), h("p", { class: "note" }, words.runningNote), this.learned);
  }

  show(now) {
    this.now = now;
    const { frame, arrays, settings } = now;
    const { words } = this;
    write(this.loss.output, `${(100 * frame.testError).toFixed(1)}%`);
    write(this.together, words.together[settings.norm](settings.unit, settings.sample));
    write(this.formula, words.formulas[settings.norm]);
    write(this.learned, "scale" in frame.learned ? words.learned(decimal(frame.learned.scale, 3), decimal(frame.learned.shift, 3)) : "");
    this.showStatistics(frame);
    this.showSide("before", frame.before, arrays.z, arrays.histogramBefore, frame.slice);
    this.showSide("after", frame.after, arrays.normalized, arrays.histogramAfter, frame.slice);
  }

  showStatistics({ batch, running }) {
    const { words } = this;
    const row = (name, values) => h("tr", {}, h("th", { scope: "row" }, name),
      h("td", {}, values ? decimal(values.mean, 4) : "\u2013"), h("td", {}, values ? decimal(values.variance, 4) : "\u2013"));
    this.statistics.replaceChildren(row(words.ofBatch, batch), row(words.running, running));
  }

  showSide(name, { mean, std }, { shape: [rows, columns], data }, histogram, [r0, r1, c0, c1]) {
    const { map, frame, histogram: graph, numbers } = this.sides[name];
    write(numbers.mean.output, decimal(mean, 4));
    write(numbers.std.output, decimal(std, 4));
    const largest = name === "after" && this.now.settings.norm !== "none" ? SHOWN_DEVIATIONS : Math.max(...data.map(Math.abs), 1e-9);
    const level = (value) => 127.5 + 127.5 * Math.max(-1, Math.min(1, value / largest));
    const turned = Uint8Array.from({ length: data.length }, (_, i) => level(data[(i % rows) * columns + Math.floor(i / rows)]));
    drawHeatmap(map, turned, columns, rows, colourMap(themeColours(this.root)));
    Object.assign(frame.style, {
      left: `${(100 * r0) / rows}%`, width: `${(100 * (r1 - r0)) / rows}%`, top: `${(100 * c0) / columns}%`, height: `${(100 * (c1 - c0)) / columns}%`,
    });
    this.showHistogram(graph, histogram.data);
  }

  showHistogram(graph, bins) {
    const [low, high] = [Math.min(bins[0], 0), Math.max(bins[bins.length - 2], 0)];
    const margin = 0.05 * (high - low || 1);
    let most = 1;
    const outline = [bins[0], 0];
    for (let i = 0; i < bins.length; i += 3) {
      outline.push(bins[i], bins[i + 2], bins[i + 1], bins[i + 2]);
      most = Math.max(most, bins[i + 2]);
    }
    outline.push(bins[bins.length - 2], 0);
    const range = [low - margin, high + margin, 0, 1.1 * most];
    graph.show({ range, marks: [
      { kind: "line", look: "now", points: [0, 0, 0, range[3]] }, { kind: "line", look: "spread", points: outline, isClosed: true },
      { kind: "line", look: "first", points: outline },
    ] });
  }

  pick(event) {
    const box = event.target.getBoundingClientRect();
    const at = (place, size, n) => Math.max(1, Math.min(n, Math.ceil((place / size) * n)));
    const [rows, columns] = this.now.arrays.z.shape;
    this.change({ sample: at(event.clientX - box.left, box.width, rows), unit: at(event.clientY - box.top, box.height, columns) });
  }
}
