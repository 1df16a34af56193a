// An over-large network: what it makes of few points, and where it should have stopped. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { wholeNumber } from "../static/numbers.js";
import { Plane } from "../static/plane.js";
import { readout } from "../static/readout.js";

const [SQUARE_HALF, SQUARE_TICKS] = [6, [-6, -3, 0, 3, 6]];
const TALLEST_LOSS = 3;
const PALE = 0.7;
const COLUMNS = ["third", "second", "first"]; // fitted, held out, new

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new OverfitView(root, context);
}

class OverfitView {
  constructor(root, { words, controls }) {
    Object.assign(this, { root, words, controls });
    this.plane = new Plane({ half: SQUARE_HALF, ticks: SQUARE_TICKS, names: ["x\u2081", "x\u2082"], label: words.plane });
    this.losses = new Graph({ xLabel: words.step, yLabel: words.loss, label: words.lossesLabel, testid: "losses" });
    root.replaceChildren(h("div", { class: "bench roomy" }, this.settingsCard(), this.mainCard(), this.sideCard()));
    onThemeChange(() => this.now && this.paint());
  }

  settingsCard() {
    const { controls, words } = this;
    return h("section", { class: "card settings" }, controls.select("dataset"), controls.slider("noise", { unit: "%" }),
      controls.slider("nPoints"), controls.slider("depth"), controls.slider("layerUnits"), controls.select("alpha"),
      controls.select("learningRate"), controls.seed("seed"), h("p", { class: "note" }, words.note));
  }

  mainCard() {
    const { controls, words } = this;
    const key = (look, text) => h("span", {}, h("i", { class: look }), text);
    this.verdict = h("p", { class: "callout", testid: "verdict" });
    return h("section", { class: "card main" },
      h("div", { class: "head" }, h("h2", {}, words.planeTitle), controls.radios("shown")),
      h("div", { class: "plane-place" }, this.plane.element),
      h("div", { class: "legend" }, key("dot", words.fittedPoint), key("dot test", words.heldPoint)), this.verdict,
      h("h2", {}, words.lossesTitle), this.losses.element,
      h("div", { class: "legend" }, COLUMNS.map((look, i) => key(`line ${look}`, words.curves[i]))));
  }

  sideCard() {
    const { words } = this;
    this.numbers = Object.fromEntries(Object.entries(words.numbers).map(([name, label]) => [name, readout(label, kebab(name))]));
    const { parameters, error, heldError, newError, length, stoppedAt, stoppedError, stoppedNewError, stoppedLength } = this.numbers;
    return h("section", { class: "card side" }, parameters, h("h2", {}, words.now),
      h("div", { class: "numbers" }, error, heldError, newError), length,
      h("h2", {}, words.stopped), h("div", { class: "numbers" }, stoppedAt, stoppedError, stoppedNewError), stoppedLength);
  }

  show(now) {
    this.now = now;
    const { frame, scene, time, arrays } = now;
    const percent = (value) => `${(100 * value).toFixed(1)}%`;
    for (const name of ["error", "heldError", "newError", "stoppedError", "stoppedNewError"]) write(this.numbers[name].output, percent(frame[name]));
    for (const name of ["length", "stoppedLength"]) write(this.numbers[name].output, frame[name].toFixed(2));
    write(this.numbers.stoppedAt.output, wholeNumber(frame.stoppedAt));
    write(this.numbers.parameters.output, this.words.parametersOf(wholeNumber(scene.parameters), scene.fitted));
    write(this.verdict, this.words.verdict(frame, time));
    this.showLosses(arrays.losses.data, time, frame.stoppedAt);
    this.paint();
  }

  showLosses(rows, { step, last }, stop) {
    let highest = 0.1;
    for (let i = 0; i < rows.length; i++) if (i % 4 && Number.isFinite(rows[i])) highest = Math.max(highest, rows[i]);
    highest = Math.min(TALLEST_LOSS, 1.05 * highest);
    const upright = (look, x) => ({ kind: "line", look, points: [x, 0, x, highest] });
    this.losses.show({ range: [0, Math.max(last, 1), 0, highest], marks: [
      upright("now", step), upright("faint", stop),
      ...COLUMNS.map((look, i) => ({ kind: "line", look, points: rows, columns: 4, at: [0, i + 1] })),
    ] });
  }

  paint() {
    const { arrays } = this.now;
    const theme = themeColours(this.root);
    this.plane.showMap(arrays.map, colourMap(theme, { strength: PALE }));
    const [red, green, blue] = theme["point-edge"];
    this.plane.showPoints([{ rows: arrays.fittedPoints.data }, { rows: arrays.heldPoints.data, isHollow: true }], colourMap(theme), `rgb(${red} ${green} ${blue})`);
  }
}

function kebab(name) {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
