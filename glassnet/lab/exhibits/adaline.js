// Adaline: the data with the line, the bowl with the way down. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { Graph, nearestRow, pathUpTo } from "../static/graph.js";
import { decimal, lossText } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const HALF = 4;
const RANGE = [-HALF, HALF, -HALF, HALF];
const LARGE = 1e4;

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new AdalineView(root, context);
}

class AdalineView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { root, words, controls, change });
    const graph = (testid, xLabel, yLabel, label, onpoint) =>
      new Graph({ xLabel, yLabel, label, testid, isSquare: true, onpoint: live ? onpoint : null });
    this.data = graph("data", words.input, words.target, words.dataLabel, (x, t) => this.setPoint(x, t));
    this.bowl = graph("bowl", words.weight, words.bias, words.bowlLabel, (weight, bias) =>
      change({ startWeight: +weight.toFixed(2), startBias: +bias.toFixed(2) }));
    this.curve = new Graph({ xLabel: words.step, yLabel: words.loss, label: words.curve, testid: "curve" });
    root.replaceChildren(h("div", { class: "bench roomy" }, this.settingsCard(), this.mainCard(), this.sideCard()));
    onThemeChange(() => this.paint());
  }

  settingsCard() {
    const { controls, words } = this;
    this.drawn = [controls.slider("noise", { step: 0.05 }), controls.slider("shift", { step: 0.1 })];
    return h("section", { class: "card settings" },
      controls.slider("rateShare", { step: 0.01, unit: words.ofLimit }), controls.radios("batch", { shape: "stacked" }),
      controls.select("dataset"), this.drawn, controls.seed("seed"), h("p", { class: "note" }, words.note));
  }

  mainCard() {
    const { controls, words } = this;
    const part = (title, extra, graph) => h("div", {}, h("div", { class: "head" }, h("h2", {}, title), extra), graph.element);
    this.verdict = h("p", { class: "callout", testid: "verdict" });
    return h("section", { class: "card main" }, h("div", { class: "pair wide" },
      part(words.bowlTitle, null, this.bowl), part(words.dataTitle, controls.radios("newPoint"), this.data)),
      this.verdict);
  }

  sideCard() {
    const { words } = this;
    this.loss = readout(words.lossNow, "loss");
    this.lowest = readout(words.lowest, "lowest");
    this.rate = readout(words.rate, "rate");
    this.limit = readout(words.limit, "limit");
    this.formula = h("p", { class: "formula", testid: "unit" });
    return h("section", { class: "card side" }, h("div", { class: "numbers" }, this.loss, this.lowest),
      h("div", { class: "numbers" }, this.rate, this.limit), this.formula, this.curve.element,
      h("div", { class: "legend" }, h("span", {}, h("i", { class: "line first" }), words.loss),
        h("span", {}, h("i", { class: "line third" }), words.lowest)));
  }

  show(now, isNew) {
    this.now = now;
    if (isNew) this.showSettings();
    const { frame, arrays, time } = now;
    const [weight, bias] = frame.place;
    write(this.loss.output, lossText(frame.loss));
    write(this.formula, this.words.formula(numberText(weight), numberText(bias)));
    this.showData(weight, bias);
    this.showBowl();
    this.showCurve(arrays.path, time);
  }

  showSettings() {
    const { scene, settings } = this.now;
    for (const control of this.drawn) control.hidden = settings.dataset === "own";
    write(this.lowest.output, lossText(scene.lowest));
    write(this.rate.output, scene.rate.toFixed(4));
    write(this.limit.output, scene.limit.toFixed(4));
    write(this.verdict, this.words.verdict(settings.rateShare, settings.batch));
    this.paint();
  }

  paint() {
    if (!this.now) return;
    this.colours = colourMap(themeColours(this.root), { strength: 0.75 });
    this.showBowl();
  }

  showData(weight, bias) {
    const { arrays, settings } = this.now;
    const line = { kind: "line", look: "strong", points: [-HALF, bias - HALF * weight, HALF, bias + HALF * weight] };
    const isClasses = settings.dataset === "classes";
    const { data } = arrays.points;
    const look = (i) => (isClasses ? (data[2 * i + 1] > 0 ? "plus" : "minus") : "ink");
    const errors = [];
    for (let i = 0; i < data.length; i += 2) {
      errors.push({ kind: "line", look: "error", points: [data[i], data[i + 1], data[i], bias + weight * data[i]] });
    }
    const threshold = isClasses && weight !== 0
      ? [{ kind: "line", look: "now", points: [-bias / weight, -HALF, -bias / weight, HALF] }] : [];
    this.data.show({ range: RANGE, marks: [...errors, ...threshold, line, { kind: "dots", points: data, look, radius: 0.4 }] });
  }

  showBowl() {
    const { arrays: { bowl, path }, scene, frame, time } = this.now;
    const here = pathUpTo(path.data, 4, time.step);
    const way = { kind: "line", columns: 4, at: [1, 2] };
    this.bowl.show({ range: RANGE, heat: { values: bowl, map: this.colours }, marks: [
      { ...way, look: "faint", points: path.data },
      { ...way, look: "strong", points: [...here, 0, ...frame.place, 0] },
      { kind: "dots", look: "step", radius: 0.22, points: here.length <= 400 ? here : [], columns: 4, at: [1, 2] },
      { kind: "dots", look: "meeting", radius: 0.4, points: scene.lowestAt },
      { kind: "dots", look: "here", radius: 0.5, points: frame.place },
    ] });
  }

  showCurve({ data }, { step, last }) {
    const { scene } = this.now;
    const highest = Math.min(2.2 * data[3] || 1, LARGE);
    const range = [0, Math.max(last, 4), 0, highest];
    this.curve.show({ range, marks: [
      { kind: "line", look: "third", points: [0, scene.lowest, range[1], scene.lowest] },
      { kind: "line", look: "first", points: data, columns: 4, at: [0, 3] },
      { kind: "line", look: "now", points: [step, 0, step, highest] },
    ] });
  }

  setPoint(x, t) {
    const points = this.controls.ownRows(this.now.arrays.points, 2);
    if (this.controls.settings.newPoint === "add") points.push(+x.toFixed(2), +t.toFixed(2));
    else points.splice(nearestRow(points, 2, x, t), 2);
    this.change({ dataset: "own", points });
  }
}

function numberText(value) {
  return Math.abs(value) < LARGE ? decimal(value, 3) : value.toExponential(2).replace("-", "\u2212");
}
