// Gradient descent: runs that race down a loss surface. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { Graph, pathUpTo } from "../static/graph.js";
import { lossText } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const STEPS_WITH_DOTS = 120;
const NEW_RUN = { batchSizes: 10, learningRates: 0.1, momenta: 0 };
const LISTS = Object.keys(NEW_RUN);

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new DescentView(root, context);
}

class DescentView {
  constructor(root, { words, controls, change, properties, live = true }) {
    Object.assign(this, { root, words, controls, change, live, properties });
    this.map = new Graph({
      label: words.surfaceLabel, testid: "surface", isSquare: true,
      onpoint: live ? (x, y) => change({ start1: +x.toFixed(2), start2: +y.toFixed(2) }) : null,
    });
    this.curves = new Graph({ label: words.curves, testid: "curves" });
    root.replaceChildren(h("div", { class: "bench" }, this.settingsCard(), this.mapCard(), this.raceCard()));
    onThemeChange(() => this.paint());
  }

  settingsCard() {
    const { controls, words } = this;
    this.formula = h("p", { class: "formula", testid: "formula" });
    return h("section", { class: "card settings" }, controls.radios("network", { shape: "stacked" }), this.formula,
      controls.radios("clock", { shape: "stacked" }), controls.slider("noise", { step: 0.05 }), controls.seed("seed"),
      h("p", { class: "note" }, words.note));
  }

  mapCard() {
    return h("section", { class: "card main" }, h("h2", {}, this.words.surfaceTitle), this.map.element);
  }

  raceCard() {
    const { words, live } = this;
    this.runs = h("div", { class: "runs", testid: "runs" });
    this.add = h("button", {
      type: "button", class: "quiet edged", testid: "add-run", disabled: !live, onclick: () => this.addRun(),
    }, words.addRun);
    this.lowest = readout(words.lowest, "lowest");
    return h("section", { class: "card side" }, h("div", { class: "head" }, h("h2", {}, words.race), this.add),
      this.runs, this.lowest, this.curves.element);
  }

  // the runs' settings

  addRun() {
    const { settings } = this.controls;
    this.change(Object.fromEntries(LISTS.map((name) => [name, [...settings[name], NEW_RUN[name]]])));
  }

  removeRun(i) {
    const { settings } = this.controls;
    this.change(Object.fromEntries(LISTS.map((name) => [name, settings[name].filter((_, k) => k !== i)])));
  }

  setRun(name, i, value) {
    this.change({ [name]: this.controls.settings[name].map((old, k) => (k === i ? value : old)) });
  }

  buildRuns(settings, nSamples) {
    const { words } = this;
    this.losses = [];
    this.runs.replaceChildren(...settings.batchSizes.map((_, i) => {
      this.losses[i] = h("output", { testid: `loss-${i + 1}` });
      const name = words.removeRun(i + 1);
      const remove = h("button", {
        type: "button", class: "mini", "aria-label": name, title: name, testid: `remove-${i + 1}`,
        disabled: !this.live || settings.batchSizes.length === 1, onclick: () => this.removeRun(i),
      }, "\u2212");
      return h("div", { class: `run run-${i}` },
        h("div", { class: "head" }, h("span", {}, words.run(i + 1)), this.losses[i], remove),
        h("div", { class: "knobs" }, this.slider("batchSizes", i, { min: 1, max: nSamples, step: 1 }),
          this.rate(i, settings), this.slider("momenta", i, { min: 0, max: 0.99, step: 0.01 })));
    }));
  }

  slider(name, i, bounds) {
    const word = name === "momenta" ? this.words.momentum : this.words.batchSize;
    const id = `${name}-${i + 1}`;
    const value = h("output", { for: id, testid: `${id}-value` });
    const input = h("input", {
      type: "range", id, testid: id, ...bounds, disabled: !this.live,
      oninput: () => this.setRun(name, i, Number(input.value)),
    });
    return Object.assign(h("div", { class: "control slider" }, h("label", { for: id }, word, value), input), { input, value });
  }

  rate(i, settings) {
    const id = `learningRates-${i + 1}`;
    const { choices } = this.properties.learningRates;
    const rates = [...new Set([...choices, settings.learningRates[i]])].sort((a, b) => a - b);
    const input = h("select", {
      id, testid: id, disabled: !this.live, onchange: () => this.setRun("learningRates", i, Number(input.value)),
    }, rates.map((rate) => h("option", { value: rate }, String(rate))));
    return Object.assign(h("div", { class: "control" }, h("label", { for: id }, this.words.learningRate), input), { input });
  }

  syncRuns(settings, nSamples) {
    const key = `${settings.batchSizes.length} ${settings.learningRates}`;
    if (key !== this.runsKey) this.buildRuns(settings, nSamples);
    this.runsKey = key;
    [...this.runs.children].forEach((run, i) => {
      const [batch, rate, momentum] = run.lastChild.children;
      batch.input.value = settings.batchSizes[i];
      write(batch.value, this.words.ofAll(settings.batchSizes[i], nSamples));
      rate.input.value = String(settings.learningRates[i]);
      momentum.input.value = settings.momenta[i];
      write(momentum.value, String(settings.momenta[i]));
    });
    this.add.disabled = !this.live || settings.batchSizes.length >= this.properties.batchSizes.maxItems;
  }

  // drawing

  show(now, isNew) {
    this.now = now;
    if (isNew) this.showSettings();
    const { frame } = now;
    frame.losses.forEach((loss, i) => write(this.losses[i], frame.isOut[i] ? this.words.isOut : lossText(loss)));
    this.showMap();
    this.showCurves();
  }

  showSettings() {
    const { settings, scene } = this.now;
    const { words } = this;
    [this.map.xLabel, this.map.yLabel] = words.weights[settings.network];
    this.curves.xLabel = words.time[settings.clock];
    this.curves.yLabel = words.losses[settings.network];
    write(this.formula, words.formulas[settings.network]);
    write(this.lowest.output, lossText(scene.lowest));
    this.syncRuns(settings, scene.nSamples);
    this.paint();
  }

  paint() {
    if (!this.now) return;
    this.colours = colourMap(themeColours(this.root), { strength: 0.7 });
    this.showMap();
  }

  showMap() {
    const { arrays, scene, frame, time } = this.now;
    const way = { kind: "line", columns: 4, at: [1, 2] };
    const marks = [{ kind: "dots", look: "meeting", radius: 0.4, points: scene.lowestAt }];
    frame.places.forEach((place, i) => {
      const { data } = arrays[`path${i}`];
      const past = pathUpTo(data, 4, time.step);
      marks.push({ ...way, look: `faint run-${i}`, points: data });
      marks.push({ ...way, look: `run-${i}`, points: [...past, 0, ...place, 0] });
      if (past.length <= 4 * STEPS_WITH_DOTS) {
        marks.push({ kind: "dots", look: `step run-${i}`, radius: 0.18, points: past, columns: 4, at: [1, 2] });
      }
    });
    frame.places.forEach((place, i) => marks.push({ kind: "dots", look: `run-${i}`, radius: 0.5, points: place }));
    this.map.show({ range: scene.range, heat: { values: arrays.surface, map: this.colours }, marks });
  }

  showCurves() {
    const { arrays, frame, time } = this.now;
    const top = 1.6 * Math.min(...frame.places.map((_, i) => arrays[`path${i}`].data[3])) || 1;
    const lines = frame.places.map((_, i) => (
      { kind: "line", look: `run-${i}`, columns: 4, at: [0, 3], points: arrays[`path${i}`].data }));
    this.curves.show({ range: [0, Math.max(time.last, 4), 0, top],
      marks: [{ kind: "line", look: "now", points: [time.step, 0, time.step, top] }, ...lines] });
  }
}
