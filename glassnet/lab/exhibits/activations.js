// Activation functions: the curve and its slope, and gradients sent back. It draws what Python computed.

import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { anySize, decimal, powerOfTen } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const REACH = 6;
const WIDE_TICKS = 4.8;
const MOST = 3; // of the value that is drawn

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new ActivationsView(root, context);
}

class ActivationsView {
  constructor(root, { texts, words, controls, change, live = true }) {
    Object.assign(this, { texts, words, controls });
    this.curve = new Graph({ xLabel: words.z, yLabel: words.h, label: words.valueLabel, testid: "curve" });
    this.curve.element.classList.add("tall");
    const ondrag = (z) => change({ z: +Math.max(-REACH, Math.min(REACH, z)).toFixed(1) });
    this.knob = this.curve.handle({ label: words.handle, testid: "z-handle", ondrag, isLocked: !live });
    this.gradients = new Graph({
      xLabel: words.layer, yLabel: words.relative, label: words.gradientLabel, testid: "gradients", yTick: powerTick,
      xTick: (layer) => (layer >= 1 ? String(layer) : ""), left: WIDE_TICKS,
    });
    this.gradients.element.classList.add("tall");
    this.saturated = new Graph({
      xLabel: words.layer, yLabel: words.share, label: words.saturatedLabel, testid: "saturated",
      left: WIDE_TICKS,
      yTick: (value) => `${Math.round(100 * value)}%`,
    });
    root.replaceChildren(h("div", { class: "bench" }, this.settingsCard(), this.mainCard(), this.sideCard()));
  }

  settingsCard() {
    const { controls, words } = this;
    return h("section", { class: "card settings" }, controls.radios("activation", { shape: "stacked" }),
      controls.slider("z", { step: 0.1 }), controls.slider("depth"), controls.select("init"),
      controls.slider("gain", { step: 0.1 }), controls.seed("seed"), h("p", { class: "note" }, words.note));
  }

  mainCard() {
    const { words } = this;
    const key = (look, text) => h("span", {}, h("i", { class: look }), text);
    return h("section", { class: "card main" },
      h("div", { class: "head" }, h("h2", {}, words.valueTitle), h("div", { class: "legend" },
        key("line first", words.activation), key("line second", words.slope), key("box flat", words.saturatedNote))),
      this.curve.element, h("h2", {}, words.gradientTitle), this.gradients.element);
  }

  sideCard() {
    const { words } = this;
    this.value = readout(words.value, "value");
    this.derivative = readout(words.derivative, "derivative");
    this.product = readout("", "product");
    this.ratio = readout(words.ratio, "ratio");
    this.formula = h("p", { class: "formula", testid: "formula" });
    this.verdict = h("p", { class: "callout", testid: "verdict" });
    return h("section", { class: "card side" }, this.formula, h("div", { class: "numbers" }, this.value, this.derivative),
      this.product, this.ratio, this.verdict, h("h2", {}, words.saturatedTitle), this.saturated.element);
  }

  show(now, isNew) {
    this.now = now;
    const { frame, settings, scene } = now;
    write(this.value.output, decimal(frame.value, 4));
    write(this.derivative.output, decimal(frame.derivative, 4));
    write(this.product.firstChild, this.words.product(settings.depth));
    write(this.product.output, anySize(frame.product));
    this.showCurve();
    this.knob.place(settings.z, Math.min(MOST, frame.value));
    if (isNew) this.showNetwork(settings, scene);
  }

  showCurve() {
    const { arrays: { curve: { data } }, settings, scene: { saturates: [low, high] }, frame } = this.now;
    const bands = [];
    if (low !== null) bands.push({ kind: "band", between: [-REACH, low] });
    if (high !== null) bands.push({ kind: "band", between: [high, REACH] });
    const range = [-REACH, REACH, -1.5, settings.activation === "sigmoid" || settings.activation === "step" ? 1.5 : MOST];
    const line = (look, column) => ({ kind: "line", look, points: data, columns: 3, at: [0, column] });
    this.curve.show({ range, marks: [...bands, line("second", 2), line("first", 1),
      { kind: "line", look: "now", points: [settings.z, range[2], settings.z, range[3]] },
      { kind: "dots", look: "slope", radius: 0.4, points: [settings.z, frame.derivative] }] });
  }

  showNetwork(settings, scene) {
    const { words, texts } = this;
    const ratio = scene.ratios[settings.activation];
    write(this.formula, words.formulas[settings.activation]);
    write(this.ratio.output, ratio === undefined ? "0" : anySize(ratio));
    write(this.verdict, words.verdict(texts.options[settings.activation], scene.trainable, ratio));
    this.showGradients(settings, scene.names);
    const { data } = this.now.arrays.saturated;
    this.saturated.show({
      range: [0.5, settings.depth + 0.5, 0, 1], marks: [{ kind: "bars", values: data, floor: 0 }],
    });
  }

  showGradients({ activation, depth }, names) {
    const { data } = this.now.arrays.gradients;
    const low = Math.min(-2, Math.floor(Math.min(...data)));
    const high = Math.max(2, Math.ceil(Math.max(...data)) + 1);
    const lines = names.map((name, i) => {
      const points = Array.from({ length: depth }, (_, k) => [k + 1, data[i * depth + k]]).flat();
      return { name, points };
    });
    const chosen = lines.filter(({ name }) => name === activation);
    const others = lines.filter(({ name }) => name !== activation);
    const ends = spread(lines.map(({ points }) => points[1]), (high - low) / 12);
    this.gradients.show({ range: [-0.3 * depth, depth + 0.5, low, high], marks: [
      ...others.map(({ points }) => ({ kind: "line", look: "pale", points })),
      ...chosen.flatMap(({ points }) => [{ kind: "line", look: "strong", points }, { kind: "dots", look: "first", points }]),
      ...lines.map(({ name }, i) => ({
        kind: "text", look: name === activation ? "chosen" : "pale", x: 0.7, y: ends[i], anchor: "end",
        text: this.texts.options[name],
      })),
    ] });
  }
}

/** Push labels apart that would lie on each other. */
function spread(heights, gap) {
  const order = heights.map((height, i) => ({ height, i })).sort((a, b) => b.height - a.height);
  for (let k = 1; k < order.length; k++) order[k].height = Math.min(order[k].height, order[k - 1].height - gap);
  const result = [];
  for (const { height, i } of order) result[i] = height;
  return result;
}

function powerTick(value) {
  return Number.isInteger(value) ? powerOfTen(value) : "";
}
