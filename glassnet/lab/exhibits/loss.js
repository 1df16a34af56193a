// Classifier and loss: scores to drag, probabilities against the label, the gradient. It draws what Python computed.

import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { decimal } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const SCORE_REACH = 6;
const SCORE_MARGIN = 0.6;
const SMALL_LOSS = 0.5;
const LARGE_LABEL_LOSS = 3;

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new LossView(root, context);
}

class LossView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { words, controls, change, live });
    const xTicks = [1, 2, 3, 4, 5, 6, 7, 8];
    const xTick = (k) => this.now.scene.classes[k - 1];
    const graph = (testid, yLabel, label) => {
      const made = new Graph({ xLabel: "", yLabel, label, testid, xTicks, xTick });
      made.element.classList.add("classes");
      return made;
    };
    this.scores = graph("scores", words.score, words.scoresLabel);
    this.probabilities = graph("probabilities", words.probability, words.probabilitiesLabel);
    this.gradient = graph("gradient", words.gradient, words.gradientLabel);
    root.replaceChildren(h("div", { class: "bench roomy" }, this.settingsCard(), this.mainCard(), this.sideCard()));
  }

  settingsCard() {
    const { controls, words, live, change } = this;
    const preset = (testid, text, label) => h("button", {
      type: "button", class: "quiet edged", testid, disabled: !live, onclick: () => change({ label, smoothing: 0 }),
    }, text);
    return h("section", { class: "card settings" }, controls.radios("label", { shape: "stacked" }),
      controls.slider("smoothing", { step: 0.05 }), controls.slider("temperature", { step: 0.1 }),
      h("h2", {}, words.presets), preset("small-loss", words.smallLoss, "clown fish"),
      preset("large-loss", words.largeLoss, "grizzly bear"), h("p", { class: "note" }, words.note));
  }

  mainCard() {
    const { words } = this;
    const key = (look, text) => h("span", {}, h("i", { class: look }), text);
    return h("section", { class: "card main" }, h("h2", {}, words.scoresTitle), this.scores.element,
      h("div", { class: "head" }, h("h2", {}, words.probabilitiesTitle),
        h("div", { class: "legend" }, key("line first", words.given), key("line second", words.wanted))),
      this.probabilities.element, h("h2", {}, words.gradientTitle), this.gradient.element);
  }

  sideCard() {
    const { words } = this;
    this.loss = readout(words.loss, "loss");
    this.likelihood = readout(words.likelihood, "likelihood");
    this.label = readout(words.labelProbability, "label-probability");
    this.entropy = readout(words.entropy, "entropy");
    this.divergence = readout(words.divergence, "divergence");
    this.reverse = readout(words.reverse, "reverse");
    this.verdict = h("p", { class: "callout", testid: "verdict" });
    return h("section", { class: "card side" }, h("p", { class: "formula" }, words.formula),
      h("div", { class: "numbers" }, this.loss, this.likelihood), this.label, this.verdict,
      h("h2", {}, words.divergenceTitle), h("p", { class: "formula" }, words.divergenceFormula),
      h("div", { class: "numbers" }, this.entropy, this.divergence), this.reverse, h("p", { class: "note" }, words.reverseNote));
  }

  show(now) {
    this.now = now;
    const { frame, settings, scene } = now;
    this.knobs ??= scene.classes.map((name, k) => this.scores.handle({
      label: this.words.knob(name), testid: `score-${k + 1}`, isLocked: !this.live,
      ondrag: (x, score) => this.setScore(k, score),
    }));
    write(this.loss.output, frame.loss.toFixed(4));
    write(this.likelihood.output, Math.exp(-frame.loss).toFixed(4));
    write(this.label.output, frame.labelProbability.toFixed(4));
    write(this.entropy.output, frame.entropy.toFixed(4));
    write(this.divergence.output, frame.divergence.toFixed(4));
    write(this.reverse.output, frame.reverse === null ? "\u221e" : frame.reverse.toFixed(4));
    const size = frame.loss < SMALL_LOSS ? "small" : frame.loss > LARGE_LABEL_LOSS ? "large" : "middling";
    write(this.verdict, this.words.verdict(size, settings.label, frame.guess));
    this.showGraphs();
  }

  showGraphs() {
    const { arrays: { probabilities, target, gradient }, settings: { scores, label }, scene: { classes } } = this.now;
    const [left, right] = [0.4, classes.length + 0.6];
    const floor = -SCORE_REACH - SCORE_MARGIN;
    const zero = { kind: "line", look: "now", points: [left, 0, right, 0] };
    const chosen = { kind: "band", between: [classes.indexOf(label) + 0.5, classes.indexOf(label) + 1.5] };
    const stem = (look) => (value, k) => ({ kind: "line", look, points: [k + 1, 0, k + 1, value] });
    this.scores.show({ range: [left, right, floor, SCORE_REACH + SCORE_MARGIN], marks: [chosen, zero, ...scores.map(stem("strong"))] });
    this.knobs.forEach((knob, k) => knob.place(k + 1, scores[k]));
    this.probabilities.show({ range: [left, right, 0, 1.1], marks: [chosen, { kind: "bars", values: probabilities.data, floor: 0 },
      { kind: "dots", look: "slope", radius: 0.45, points: Array.from(target.data).flatMap((value, k) => [k + 1, value]) },
      ...Array.from(probabilities.data, (value, k) => ({ kind: "text", x: k + 1, y: value + 0.03, text: value.toFixed(3) })),
    ] });
    this.gradient.show({ range: [left, right, -1.1, 1.1], marks: [chosen, zero, ...Array.from(gradient.data).map(stem("stem")),
      ...Array.from(gradient.data, (value, k) => ({ kind: "text", x: k + 1, y: value + (value < 0 ? -0.22 : 0.07), text: decimal(value, 3) })),
    ] });
  }

  setScore(k, score) {
    const scores = [...this.controls.settings.scores];
    scores[k] = +Math.max(-SCORE_REACH, Math.min(SCORE_REACH, score)).toFixed(1);
    this.change({ scores });
  }
}
