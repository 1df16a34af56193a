// Connections: one layer in three forms, as weight matrices, with the unit that is looked at. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { drawHeatmap } from "../static/heatmap.js";
import { decimal, wholeNumber } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const FORM_NAMES = ["full", "local", "shared"];
const FORM_LOOKS = ["first", "second", "third"];
const PIXELS = 8;

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new ConnectionsView(root, context);
}

class ConnectionsView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { root, words, controls, change, live });
    this.digit = h("canvas", { role: "img", "aria-label": words.digit });
    this.label = h("output", { testid: "label" });
    this.curve = new Graph({ xLabel: words.step, yLabel: words.testError, label: words.curve, testid: "curves" });
    this.forms = FORM_NAMES.map((name) => this.form(name));
    root.replaceChildren(h("div", { class: "bench connections" }, this.settingsCard(), this.mainCard()));
    onThemeChange(() => this.now && this.show(this.now));
  }

  settingsCard() {
    const { controls, words } = this;
    return h("section", { class: "card settings" }, controls.slider("field"), controls.slider("channels"),
      controls.select("activation"), controls.select("learningRate"), controls.seed("seed"), controls.slider("unit"),
      controls.slider("sample"), h("figure", { class: "digit-in" }, this.digit, h("figcaption", { class: "note" }, words.digitIs, this.label)),
      h("p", { class: "note" }, words.note));
  }

  form(name) {
    const { words, live } = this;
    const matrix = h("canvas", {
      class: "matrix", role: "img", "aria-label": words.matrix(words.forms[name]), testid: `matrix-${name}`,
      onclick: (event) => live && this.pick(event),
    });
    const field = h("canvas", { class: "patch", role: "img", "aria-label": words.patch(words.forms[name]) });
    const numbers = {
      layer: readout(words.ofLayer, `${name}-layer`), all: readout(words.ofAll, `${name}-all`),
      testError: readout(words.testError, `${name}-error`), activation: readout(words.activation, `${name}-activation`),
    };
    const element = h("div", { class: "form-of-layer" }, h("h2", {}, words.forms[name]), h("p", { class: "note" }, words.says[name]),
      h("div", { class: "numbers" }, numbers.layer, numbers.all, numbers.testError), matrix,
      h("div", { class: "row" }, field, numbers.activation));
    return { matrix, field, numbers, element };
  }

  mainCard() {
    const { words } = this;
    const key = (look, text) => h("span", {}, h("i", { class: `line ${look}` }), text);
    return h("section", { class: "card main" }, h("h2", {}, words.matrices), h("p", { class: "note" }, words.matricesNote),
      h("div", { class: "three" }, this.forms.map(({ element }) => element)), this.curve.element,
      h("div", { class: "legend" }, FORM_NAMES.map((name, i) => key(FORM_LOOKS[i], words.forms[name]))),
      h("p", { class: "callout" }, words.verdict));
  }

  show(now) {
    this.now = now;
    const { frame, arrays, scene, time } = now;
    const map = colourMap(themeColours(this.root));
    write(this.label, ` ${scene.label}`);
    drawHeatmap(this.digit, arrays.digit.data.map((value) => 127 + value / 2), PIXELS, PIXELS, map);
    const [, rows, columns] = arrays.matrices.shape;
    this.forms.forEach(({ matrix, field, numbers }, i) => {
      const form = frame.forms[i];
      drawHeatmap(matrix, arrays.matrices.data.subarray(i * rows * columns, (i + 1) * rows * columns), rows, columns, map);
      this.showPatch(field, arrays.unitWeights.data.subarray(i * columns, (i + 1) * columns), map);
      write(numbers.layer.output, wholeNumber(form.layer));
      write(numbers.all.output, wholeNumber(form.all));
      write(numbers.testError.output, `${(100 * form.testError).toFixed(1)}%`);
      write(numbers.activation.output, decimal(form.activation, 3));
    });
    const line = (look, column) => ({ kind: "line", look, points: arrays.curve.data, columns: 4, at: [0, column] });
    this.curve.show({ range: [0, Math.max(time.last, 1), 0, 1], marks: [
      { kind: "line", look: "now", points: [time.step, 0, time.step, 1] }, ...FORM_LOOKS.map((look, i) => line(look, i + 1)),
    ] });
  }

  showPatch(canvas, weights, map) {
    const largest = Math.max(...weights.map(Math.abs), 1e-9);
    drawHeatmap(canvas, Uint8Array.from(weights, (weight) => 127.5 + (127.5 * weight) / largest), PIXELS, PIXELS, map);
  }

  pick(event) {
    const box = event.target.getBoundingClientRect();
    const { units } = this.now.frame;
    this.change({ unit: Math.max(1, Math.min(units, Math.ceil(((event.clientY - box.top) / box.height) * units))) });
  }
}
