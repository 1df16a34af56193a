// AlexNet and ResNet: a photo through filters and maps, and a race of depths. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { Montage } from "../static/montage.js";
import { decimal, wholeNumber } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const MAP_COLUMNS = 16;
const RACERS = ["plain", "residual"].flatMap((kind) => ["shallow", "deep"].map((depth) => ({ kind, depth })));
const RACE_LOOKS = { shallow: "second", deep: "strong" };

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new DeepNetsView(root, context);
}

class DeepNetsView {
  constructor(root, { words, controls, change, upload, live = true }) {
    Object.assign(this, { root, words, controls, change, upload, live });
    this.photoRoom = [this.photoSettings(), this.mapsCard(), this.answerCard()];
    this.depthRoom = [this.depthSettings(), this.raceCard(), this.lossesCard()];
    this.bench = h("div", { class: "bench roomy deepnets" });
    root.replaceChildren(h("div", { class: "row" }, controls.radios("mode")), this.bench);
    onThemeChange(() => this.now && this.show(this.now, true));
  }

  // the photo's cards

  photoSettings() {
    const { words, controls, live } = this;
    const file = h("input", {
      type: "file", accept: "image/*", class: "hidden-file", tabindex: -1, "aria-label": words.open, testid: "file",
      disabled: !live, onchange: () => this.open(file),
    });
    this.photo = new Montage({ columns: 1, label: words.photoLabel, testid: "photo" });
    this.input = new Montage({ columns: 1, label: words.inputLabel, testid: "input" });
    this.inputTitle = h("span", { class: "note" });
    this.cifarClass = controls.slider("cifarClass");
    this.choice = new Montage({ columns: 5, label: words.choiceLabel, testid: "choice",
      onpick: live ? (cifarClass) => this.change({ picture: "cifar", cifarClass }) : null });
    return h("section", { class: "card settings" },
      controls.radios("network", { shape: "stacked" }),
      h("div", { class: "seen" }, this.photo.element, this.input.element), this.inputTitle,
      h("button", { type: "button", class: "primary", testid: "open-file", disabled: !live, onclick: () => file.click() }, words.open), file,
      controls.select("picture"), this.cifarClass, this.choice.element,
      h("p", { class: "note" }, words.photoNote));
  }

  async open(input) {
    const [file] = input.files;
    input.value = "";
    if (file) await this.upload("photo", file, { picture: "own" });
  }

  mapsCard() {
    const { words } = this;
    this.title = h("h2", { testid: "network-name" });
    this.warning = h("p", { class: "callout", testid: "untrained" }, words.untrained);
    this.filters = new Montage({ columns: MAP_COLUMNS, label: words.filtersLabel, testid: "filters" });
    this.floors = h("div", { class: "floors" });
    return h("section", { class: "card main" }, this.title, this.warning, h("h2", {}, words.filtersTitle), this.filters.element,
      h("h2", {}, words.mapsTitle), this.floors, h("p", { class: "note" }, words.mapsNote));
  }

  answerCard() {
    const { words, controls } = this;
    this.best = h("ol", { class: "best", testid: "best" });
    this.truth = h("p", { class: "note", testid: "truth" });
    this.parameters = readout(words.parameters, "parameters");
    this.answerTitle = h("h2", {}, words.answer);
    this.unitTitle = h("p", { testid: "unit-title" });
    this.sum = h("output", { class: "callout", testid: "unit" });
    this.formula = h("p", { class: "formula" }, words.formula);
    return h("section", { class: "card side" }, this.answerTitle, this.best, this.truth, this.parameters,
      h("h2", {}, words.numberTitle), controls.slider("lookLayer"), controls.slider("lookMap"),
      controls.slider("lookRow"), controls.slider("lookColumn"), this.unitTitle, this.sum, this.formula);
  }

  // the cards of the race

  depthSettings() {
    const { words, controls } = this;
    return h("section", { class: "card settings" }, controls.slider("shallow", { step: 2 }), controls.slider("deep", { step: 2 }),
      controls.slider("maps"), controls.select("learningRate"), controls.seed("seed"), h("p", { class: "note" }, words.raceNote));
  }

  raceCard() {
    const { words } = this;
    const graph = (kind) => new Graph({ xLabel: words.step, yLabel: words.loss, label: words.raceLabel(kind), testid: `race-${kind}` });
    const errors = (kind) => new Graph({ xLabel: words.epoch, yLabel: words.error, label: words.recordedLabel(kind), testid: `recorded-${kind}` });
    const pair = (make) => ({ plain: make("plain"), residual: make("residual") });
    Object.assign(this, { races: pair(graph), recorded: pair(errors) });
    const side = (graphs) => h("div", { class: "forms" }, ["plain", "residual"].map((kind) =>
      h("div", {}, h("strong", {}, words.kinds[kind]), graphs[kind].element)));
    this.legend = h("div", { class: "legend" });
    this.recordedTitle = h("h2", {}, words.recordedTitle);
    this.recordedBox = side(this.recorded);
    this.recordedNote = h("p", { class: "note", testid: "recorded-note" });
    return h("section", { class: "card main" }, h("div", { class: "head" }, h("h2", {}, words.raceTitle), this.legend), side(this.races),
      this.recordedTitle, this.recordedBox, this.recordedNote);
  }

  lossesCard() {
    const { words } = this;
    this.losses = RACERS.map(({ kind, depth }) => readout("", `loss-${kind}-${depth}`));
    this.verdict = h("p", { class: "callout", testid: "verdict" });
    return h("section", { class: "card side" }, h("h2", {}, words.lossTitle), this.losses, this.verdict,
      h("p", { class: "formula" }, words.formula));
  }

  // drawing

  show(now, isNew) {
    this.now = now;
    if (isNew) this.colours = colourMap(themeColours(this.root));
    const isPhoto = now.settings.mode === "photo";
    const room = isPhoto ? this.photoRoom : this.depthRoom;
    if (room[0].parentElement !== this.bench) this.bench.replaceChildren(...room);
    if (isPhoto) this.showPhoto();
    else this.showRace();
  }

  showPhoto() {
    const { words, now: { frame, arrays, scene, settings } } = this;
    this.photo.showColours(arrays.photo);
    this.input.showColours(arrays.input);
    write(this.inputTitle, words.input(...frame.size));
    this.choice.element.hidden = this.cifarClass.hidden = !scene.hasCifar;
    if (scene.hasCifar) this.choice.showColours(arrays.choice, settings.picture === "cifar" ? settings.cifarClass : null);
    write(this.title, words.networkTitle(frame.network));
    this.warning.hidden = frame.isTrained;
    this.filters.showColours(arrays.filters);
    write(this.parameters.output, wholeNumber(frame.parameters));
    this.showMaps();
    this.showAnswer();
    this.showUnit();
  }

  showMaps() {
    const { words, now: { frame: { layers, unit }, arrays } } = this;
    const names = layers.map(({ name }) => name).join(" ");
    if (this.shownLayers !== names) {
      this.shownLayers = names;
      this.maps = layers.map(({ name }, layer) => new Montage({
        columns: MAP_COLUMNS, label: words.mapsLabel(name), testid: `maps-${layer + 1}`,
        onpick: this.live ? (map, x, y) => this.look(layer, map, x, y) : null,
      }));
      this.floors.replaceChildren(...layers.map(({ name, shape: [n, height, width] }, layer) => h("div", { class: "floor" },
        h("span", { class: "floor-name" }, name, h("br"), words.shape(n, height, width)), this.maps[layer].element)));
    }
    layers.forEach((_, layer) => this.maps[layer].show(arrays[`maps${layer}`], this.colours, unit.layer === layer ? unit.map : null));
  }

  look(layer, map, x, y) {
    const [, height, width] = this.now.frame.layers[layer].shape;
    const inside = (share, size) => 1 + Math.min(size - 1, Math.max(0, Math.floor(share * size)));
    this.change({ lookLayer: layer + 1, lookMap: map + 1, lookRow: inside(y, height), lookColumn: inside(x, width) });
  }

  showAnswer() {
    const { words, now: { frame: { best, truth, isTrained } } } = this;
    this.answerTitle.hidden = !isTrained;
    this.best.replaceChildren(...best.map(([name, probability], i) => h("li", {},
      h("span", { testid: `best-${i + 1}` }, `${name} ${(100 * probability).toFixed(1)}%`),
      Object.assign(h("i"), { style: `width:${100 * probability}%` }))));
    write(this.truth, !isTrained ? "" : truth ? words.truth(truth) : words.noTruth);
  }

  showUnit() {
    const { words, now: { frame: { unit, layers } } } = this;
    write(this.unitTitle, words.unit(layers[unit.layer].name, unit.map + 1, unit.row + 1, unit.column + 1));
    this.formula.hidden = unit.branch === null;
    write(this.sum, unit.branch === null ? words.value(decimal(unit.output, 4))
      : words.sum(decimal(unit.branch, 4), decimal(unit.shortcut, 4), decimal(unit.output, 4)));
  }

  showRace() {
    const { words, now: { frame, arrays, scene, settings, time } } = this;
    const label = (depth) => words.layers(settings[depth]);
    this.legend.replaceChildren(...["shallow", "deep"].map((depth) =>
      h("span", {}, h("i", { class: `line ${depth === "deep" ? "first" : "second"}` }), label(depth))));
    RACERS.forEach(({ kind, depth }, k) => {
      write(this.losses[k].firstChild, words.racer(words.kinds[kind], settings[depth], wholeNumber(scene.parameters[k])));
      write(this.losses[k].output, frame.losses[k] === null ? "\u2013" : frame.losses[k].toFixed(4));
    });
    write(this.verdict, words.verdict(frame.losses, time.step));
    const top = 1.1 * Math.max(2.4, ...RACERS.map((_, k) => Math.max(0, ...arrays[`losses${k}`].data.filter((_, i) => i % 2))));
    for (const kind of ["plain", "residual"]) {
      const lines = RACERS.flatMap((racer, k) => (racer.kind === kind
        ? [{ kind: "line", look: RACE_LOOKS[racer.depth], points: arrays[`losses${k}`].data }] : []));
      this.races[kind].show({ range: [0, Math.max(time.last, 20), 0, Math.min(top, 6)], marks: [
        { kind: "line", look: "now", points: [time.step, 0, time.step, top] }, ...lines] });
    }
    this.showRecorded(scene.recorded, arrays);
  }

  showRecorded(recorded, arrays) {
    for (const part of [this.recordedTitle, this.recordedBox]) part.hidden = !recorded;
    write(this.recordedNote, recorded ? this.words.recordedNote(recorded.file, recorded.note) : this.words.nothingRecorded);
    if (!recorded) return;
    for (const kind of ["plain", "residual"]) {
      const marks = recorded.names.flatMap((name, i) => {
        if (!name.startsWith(kind)) return [];
        const look = name.endsWith("56") ? "first" : "second";
        const line = (column, more) => ({ kind: "line", look: `${look}${more}`, points: arrays[`recorded${i}`].data, columns: 3, at: [0, column] });
        return [line(1, " dashed"), line(2, "")];
      });
      const epochs = Math.max(...recorded.names.map((_, i) => arrays[`recorded${i}`].data.at(-3)));
      this.recorded[kind].show({ range: [1, epochs, 0, 1], marks });
    }
  }
}
