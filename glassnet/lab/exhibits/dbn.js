// The deep belief network: filters and reconstructions layer by layer, and dreams. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { Montage } from "../static/montage.js";
import { readout } from "../static/readout.js";

const LAYER_NUMBERS = [0, 1, 2];
const FILTER_COLUMNS = 16;
const DREAM_COLUMNS = 5;

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new DeepBeliefView(root, context);
}

class DeepBeliefView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { root, words, controls, change, live });
    root.replaceChildren(h("div", { class: "bench belief" }, this.settingsCard(), this.layersCard(), this.dreamCard()));
    onThemeChange(() => this.now && this.show(this.now, true));
  }

  // the cards

  settingsCard() {
    const { controls, words } = this;
    this.training = h("div", { class: "group" }, controls.slider("hidden"), controls.slider("top"),
      controls.slider("pretrainIter"), controls.slider("maxIter"), controls.select("learningRate"),
      controls.slider("gibbs"), controls.seed("seed"), h("p", { class: "note" }, words.learnNote));
    this.trained = h("p", { class: "note" });
    return h("section", { class: "card settings" }, controls.radios("mode", { shape: "stacked" }), this.training, this.trained);
  }

  layersCard() {
    const { words, controls } = this;
    this.stage = h("h2", { testid: "stage" });
    this.story = h("p", { class: "callout", testid: "story" });
    this.filters = LAYER_NUMBERS.map((layer) => this.montage(`filters-${layer + 1}`, words.filtersLabel(layer + 1), FILTER_COLUMNS,
      (unit) => this.change({ lookLayer: layer + 1, lookUnit: unit + 1 })));
    this.names = LAYER_NUMBERS.map(() => h("span", { class: "floor-name" }));
    const floors = LAYER_NUMBERS.map((layer) => h("div", { class: "floor" }, this.names[layer], this.filters[layer].element));
    this.unitTitle = h("span", { testid: "unit-title" });
    this.activation = h("output", { testid: "activation" });
    return h("section", { class: "card main" }, this.stage, this.story, h("h2", {}, words.filtersTitle),
      h("div", { class: "floors" }, floors),
      h("div", { class: "row wrap looking" }, controls.slider("lookLayer"), controls.slider("lookUnit"),
        h("p", { class: "callout" }, this.unitTitle, this.activation)),
      h("h2", {}, words.keptTitle), this.keptFloors());
  }

  keptFloors() {
    const { words } = this;
    this.digits = this.montage("samples", words.samplesLabel, 10, (sample) => this.change({ sample }));
    this.kept = LAYER_NUMBERS.map((layer) => this.montage(`kept-${layer + 1}`, words.keptLabel(layer + 1), 10));
    this.errors = LAYER_NUMBERS.map((layer) => h("output", { testid: `error-${layer + 1}` }));
    const rows = LAYER_NUMBERS.map((layer) => h("div", { class: "floor" },
      h("span", { class: "floor-name" }, words.through(layer + 1), h("br"), words.error, " ", this.errors[layer]), this.kept[layer].element));
    return h("div", { class: "floors" }, h("div", { class: "floor" }, h("span", { class: "floor-name" }, words.samples), this.digits.element), rows);
  }

  montage(testid, label, columns, onpick = null) {
    return new Montage({ columns, label, testid, onpick: this.live ? onpick : null });
  }

  dreamCard() {
    const { words, controls } = this;
    this.dreams = this.montage("dreams", words.dreamsLabel, DREAM_COLUMNS);
    this.read = h("p", { class: "callout", testid: "read" });
    this.ink = readout(words.ink, "ink");
    this.testError = readout(words.testError, "test-error");
    this.steps = controls.slider("dreamSteps");
    this.curve = new Graph({ xLabel: words.step, yLabel: words.loss, label: words.curveLabel, testid: "curve", left: 4.6 });
    this.curveTitle = h("h2", {}, words.curveTitle);
    return h("section", { class: "card side" }, h("h2", {}, words.dreamsTitle), controls.radios("digit"),
      this.dreams.element, this.read, this.steps, controls.seed("dreamSeed"),
      h("div", { class: "numbers" }, this.testError, this.ink), this.curveTitle, this.curve.element);
  }

  // drawing

  show(now, isNew) {
    this.now = now;
    if (isNew) this.colours = colourMap(themeColours(this.root));
    const { frame, settings } = now;
    const isLearning = settings.mode === "learn";
    for (const part of [this.training, this.steps, this.curveTitle, this.curve.element]) part.hidden = !isLearning;
    this.trained.hidden = isLearning;
    if (!isLearning) write(this.trained, this.words.trainedNote(now.scene.units, now.scene.record));
    write(this.stage, isLearning ? this.words.stage(frame.stage, frame.stageStep, frame.stageSteps) : this.words.dreaming(settings.digit));
    write(this.story, isLearning ? this.words.stories[frame.stage] : this.words.dreamStory);
    this.showLayers();
    this.showDreams();
    if (isLearning) this.showCurve();
  }

  showLayers() {
    const { words, now: { frame: { errors, unit }, arrays, scene, settings } } = this;
    this.digits.show(arrays.digits, this.colours, settings.sample);
    for (const layer of LAYER_NUMBERS) {
      const isBegun = layer < errors.length;
      write(this.names[layer], words.layer(layer + 1, scene.units[layer], isBegun));
      this.filters[layer].show(arrays[`filters${layer}`], this.colours, unit.layer === layer + 1 ? unit.unit - 1 : null);
      this.kept[layer].show(arrays[`kept${layer}`], this.colours);
      write(this.errors[layer], isBegun ? errors[layer].toFixed(4) : "\u2013");
    }
    write(this.unitTitle, words.unit(unit.layer, unit.unit, settings.sample));
    write(this.activation, unit.activation.toFixed(4));
  }

  showDreams() {
    const { words, now: { frame, arrays, settings } } = this;
    this.dreams.show(arrays.dreams, this.colours);
    write(this.read, frame.read ? words.read(frame.read, settings.digit) : words.noDream);
    write(this.ink.output, frame.ink === null ? "\u2013" : frame.ink.toFixed(3));
    write(this.testError.output, frame.testError === null ? "\u2013" : `${(100 * frame.testError).toFixed(1)}%`);
    this.testError.hidden = settings.mode === "dream";
  }

  showCurve() {
    const { frame: { ends }, arrays: { losses: { data } }, time } = this.now;
    let highest = 0.05;
    for (let i = 1; i < data.length; i += 2) highest = Math.max(highest, data[i]);
    const range = [0, ends.at(-1), 0, 1.05 * highest];
    const border = (x, look) => ({ kind: "line", look, points: [x, 0, x, range[3]] });
    this.curve.show({ range, marks: [...ends.slice(0, -1).map((x) => border(x, "error")), border(time.step, "now"),
      { kind: "line", look: "strong", points: data }] });
  }
}
