// Regularization: the curve through the points, its weights, its errors over the penalty. It draws what Python computed.

import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { anySize, powerOfTen } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const [PLANE_HALF, PLANE_HEIGHT] = [1, 2];
const PENALTIES = [-8, 2];
const TALLEST_ERROR = 1.5;
const WEIGHT_FLOOR = 1e-3; // of the drawn weights' absolute values

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new RidgeView(root, context);
}

class RidgeView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { words, controls, change });
    this.plane = new Graph({
      xLabel: "x", yLabel: "y", label: words.planeLabel, testid: "plane", onpoint: live ? (x, y) => this.setPoint(x, y) : null,
    });
    this.plane.element.classList.add("large");
    const whole = (value) => (Number.isInteger(value) ? powerOfTen(value) : "");
    this.errors = new Graph({ xLabel: words.penaltyAxis, yLabel: words.errorAxis, label: words.errorsLabel, testid: "errors", xTick: whole });
    this.weights = new Graph({ xLabel: words.power, yLabel: words.weightAxis, label: words.weightsLabel, testid: "weights", yTick: whole, xTick: (k) => (Number.isInteger(k) ? k - 1 : "") });
    root.replaceChildren(h("div", { class: "bench roomy" }, this.settingsCard(), this.mainCard(), this.sideCard()));
  }

  settingsCard() {
    const { controls, words } = this;
    this.drawn = [controls.slider("nPoints"), controls.slider("noise", { step: 0.05 }), controls.seed("seed")];
    return h("section", { class: "card settings" }, controls.slider("degree"), controls.slider("penalty", { step: 0.25 }),
      controls.select("dataset"), this.drawn, h("p", { class: "note" }, words.note));
  }

  mainCard() {
    const { controls, words } = this;
    const key = (look, text) => h("span", {}, h("i", { class: look }), text);
    this.verdict = h("p", { class: "callout", testid: "verdict" });
    return h("section", { class: "card main" }, h("div", { class: "head" }, h("h2", {}, words.planeTitle), controls.radios("newPoint"),
      h("div", { class: "legend" }, key("line first", words.fitted), key("line second", words.law))), this.plane.element, this.verdict);
  }

  sideCard() {
    const { words } = this;
    this.error = readout(words.error, "error");
    this.newError = readout(words.newError, "new-error");
    this.length = readout(words.length, "length");
    const key = (look, text) => h("span", {}, h("i", { class: look }), text);
    return h("section", { class: "card side" }, h("p", { class: "formula" }, words.formula),
      h("div", { class: "numbers" }, this.error, this.newError), this.length,
      h("h2", {}, words.errorsTitle), this.errors.element,
      h("div", { class: "legend" }, key("line third", words.error), key("line first", words.newError)),
      h("h2", {}, words.weightsTitle), this.weights.element);
  }

  show(now) {
    this.now = now;
    const { frame, settings, arrays } = now;
    for (const control of this.drawn) control.hidden = settings.dataset === "own";
    write(this.error.output, frame.error.toFixed(4));
    write(this.newError.output, frame.newError === null ? "\u2013" : frame.newError.toFixed(4));
    write(this.length.output, anySize(frame.length));
    write(this.verdict, this.words.verdict(frame.best === null ? null : settings.penalty - frame.best));
    const isOwn = settings.dataset === "own";
    this.plane.show({ range: [-PLANE_HALF * 1.02, PLANE_HALF * 1.02, -PLANE_HEIGHT, PLANE_HEIGHT], marks: [
      ...(isOwn ? [] : [{ kind: "line", look: "second", points: arrays.law.data }]),
      { kind: "line", look: "strong", points: arrays.curve.data }, { kind: "dots", look: "ink", points: arrays.points.data, radius: 0.4 },
    ] });
    this.showErrors(arrays.sweep.data, settings);
    this.showWeights(arrays.weights.data);
  }

  showErrors(sweep, { penalty }) {
    const line = (look, column) => ({ kind: "line", look, points: sweep, columns: 3, at: [0, column] });
    const seen = Array.from(sweep).filter((value, i) => i % 3 && Number.isFinite(value));
    const highest = Math.min(TALLEST_ERROR, 1.1 * Math.max(...seen));
    this.errors.show({ range: [...PENALTIES, 0, highest], marks: [
      { kind: "line", look: "now", points: [penalty, 0, penalty, highest] }, line("third", 1), line("first", 2),
    ] });
  }

  showWeights(weights) {
    const heights = Array.from(weights, (weight) => Math.log10(Math.max(WEIGHT_FLOOR, Math.abs(weight))));
    const floor = Math.log10(WEIGHT_FLOOR);
    this.weights.show({ range: [0.4, weights.length + 0.6, floor, Math.max(3, Math.ceil(Math.max(...heights)))], marks: [
      { kind: "bars", values: heights, floor },
    ] });
  }

  setPoint(x, y) {
    const points = this.controls.ownRows(this.now.arrays.points, 3);
    const inside = (value, most) => +Math.max(-most, Math.min(most, value)).toFixed(3);
    if (this.controls.settings.newPoint === "add") points.push(inside(x, PLANE_HALF), inside(y, PLANE_HEIGHT));
    else points.splice(closestPair(points, x, y), 2);
    this.change({ dataset: "own", points });
  }
}

function closestPair(points, x, y) {
  let [best, least] = [0, Infinity];
  for (let i = 0; i < points.length; i += 2) {
    const distance = Math.hypot((points[i] - x) * PLANE_HEIGHT, points[i + 1] - y);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}
