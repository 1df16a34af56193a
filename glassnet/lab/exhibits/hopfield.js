// The Hopfield network: a memory to draw into, and a round trip found by energy. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, s, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { decimal } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const FIRST_FALL = 4; // steps in which the tour's random start comes near to the valleys
const NEAR = 0.035; // a click so near to a city takes it away

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new HopfieldView(root, context);
}

class HopfieldView {
  constructor(root, { words, controls, change, properties, live = true }) {
    Object.assign(this, { root, words, controls, change, live });
    this.mostPatterns = properties.patterns.maxItems;
    this.mostCities = properties.cities.maxItems / 2;
    this.state = new Board({ testid: "state", label: words.stateLabel, live, ondraw: (probe) => change({ probe }) });
    this.memoryCard = this.buildMemory();
    this.memorySide = this.buildMemorySide();
    this.tourCard = this.buildTour();
    this.tourSide = this.buildTourSide();
    root.replaceChildren(h("div", { class: "bench" }, this.settingsCard(), this.memoryCard, this.tourCard,
      this.memorySide, this.tourSide));
    onThemeChange(() => this.paint());
  }

  settingsCard() {
    const { controls, words, change, live } = this;
    this.memorySettings = h("div", { class: "group" }, controls.slider("corruption", { unit: "%" }),
      controls.select("rule"), controls.radios("update", { shape: "stacked" }));
    this.again = h("button", {
      type: "button", class: "quiet edged", testid: "random-cities", disabled: !live, onclick: () => change({ cities: [] }),
    }, words.randomCities);
    this.nCities = controls.slider("nCities");
    this.tourSettings = h("div", { class: "group" }, this.nCities, controls.slider("restart"), this.again);
    this.note = h("p", { class: "note" });
    // a probe that was drawn gives way when another corruption is asked for
    this.memorySettings.addEventListener("input", (event) => {
      if (event.target.id === "corruption") change({ probe: "" });
    });
    return h("section", { class: "card settings" }, controls.radios("mode", { shape: "stacked" }),
      this.memorySettings, this.tourSettings, controls.seed("seed"), this.note);
  }

  buildMemory() {
    const { words, live } = this;
    const button = (testid, text, pattern) => h("button", {
      type: "button", class: "quiet edged", testid, disabled: !live,
      onclick: () => this.change({ patterns: [...this.controls.settings.patterns, pattern()] }),
    }, text);
    this.storeState = button("store-state", words.storeState, () => hexOf(this.now.arrays.state.data));
    this.storeEmpty = button("store-empty", words.storeEmpty, () => "0".repeat(25));
    this.patterns = h("div", { class: "patterns", testid: "patterns" });
    this.verdict = h("p", { class: "callout", testid: "verdict", role: "status" });
    this.warning = h("p", { class: "callout", testid: "warning", hidden: true });
    return h("section", { class: "card main" }, h("div", { class: "memory" },
      h("div", { class: "group" }, h("div", { class: "head" }, h("h2", {}, words.stateTitle)), this.state.element,
        this.verdict),
      h("div", { class: "group" }, h("div", { class: "head" }, h("h2", {}, words.patternsTitle),
        h("div", { class: "row" }, this.storeState, this.storeEmpty)), this.patterns, this.warning)));
  }

  buildMemorySide() {
    const { words } = this;
    this.energy = readout(words.energy, "energy");
    this.load = readout(words.load, "load");
    this.visited = readout(words.visited, "visited");
    this.curve = new Graph({ xLabel: words.step, yLabel: words.energyAxis, label: words.energyCurve, testid: "curve" });
    this.curve.element.classList.add("tall");
    return h("section", { class: "card side" },
      h("div", { class: "numbers" }, this.energy, this.load, this.visited), this.curve.element);
  }

  buildTour() {
    const { words, live } = this;
    const onpoint = live ? (x, y) => this.setCity(x, y) : null;
    this.map = new Graph({ xLabel: "x", yLabel: "y", label: words.mapLabel, testid: "map", isSquare: true, onpoint });
    return h("section", { class: "card main" }, h("h2", {}, words.tourTitle), this.map.element);
  }

  buildTourSide() {
    const { words } = this;
    this.length = readout(words.length, "length");
    this.shortest = readout(words.shortest, "shortest");
    this.tourEnergy = readout(words.energy, "tour-energy");
    this.decided = h("p", { class: "callout", testid: "decided", role: "status" });
    const whole = (value) => (Number.isInteger(value) && value > 0 ? String(value) : "");
    this.outputs = new Graph({
      xLabel: words.place, yLabel: words.city, label: words.outputsLabel, testid: "outputs", isSquare: true,
      xTick: whole, yTick: (value) => whole(this.now.frame.n + 1 - value),
    });
    this.outputs.element.classList.add("crisp");
    this.tourCurve = new Graph({ xLabel: words.step, yLabel: words.energyAxis, label: words.energyCurve, testid: "tour-curve" });
    return h("section", { class: "card side" },
      h("div", { class: "numbers" }, this.length, this.shortest, this.tourEnergy), this.decided,
      h("h2", {}, words.outputsTitle), this.outputs.element, this.tourCurve.element);
  }

  // drawing

  show(now, isNew) {
    this.now = now;
    const isMemory = now.settings.mode === "memory";
    if (isNew) this.showMode(isMemory);
    if (isMemory) this.showMemory();
    else this.showTour();
  }

  showMode(isMemory) {
    this.memoryCard.hidden = this.memorySide.hidden = this.memorySettings.hidden = !isMemory;
    this.tourCard.hidden = this.tourSide.hidden = this.tourSettings.hidden = isMemory;
    write(this.note, isMemory ? this.words.memoryNote : this.words.tourNote);
    if (isMemory) this.showPatterns();
    this.again.hidden = this.now.settings.cities.length === 0;
    this.nCities.hidden = this.now.settings.cities.length > 0;
    this.paint();
  }

  paint() {
    if (!this.now) return;
    this.colours = colourMap(themeColours(this.root));
    if (this.now.settings.mode === "tour") this.showTour();
  }

  showPatterns() {
    const { settings, scene, arrays: { patterns } } = this.now;
    const { words, live } = this;
    if (this.boards?.length !== settings.patterns.length) this.buildPatterns(settings.patterns.length);
    this.boards.forEach(({ board, element }, i) => {
      board.show(patterns.data.subarray(100 * i, 100 * (i + 1)), scene.side);
      element.classList.toggle("source", settings.source === i + 1 && !settings.probe);
    });
    this.storeState.disabled = this.storeEmpty.disabled = !live || settings.patterns.length >= this.mostPatterns;
    this.warning.hidden = !scene.warning;
    write(this.warning, scene.warning ?? "");
    write(this.load.output, scene.load.toFixed(2));
    this.visited.hidden = settings.update !== "asynchronous";
    this.curve.xLabel = words.step;
  }

  buildPatterns(n) {
    const { words, live } = this;
    const replace = (i, pattern) => this.controls.settings.patterns.map((old, k) => (k === i ? pattern : old));
    this.boards = Array.from({ length: n }, (_, i) => {
      const number = i + 1;
      const ondraw = (pattern) => this.change({ patterns: replace(i, pattern) });
      const board = new Board({ testid: `pattern-${number}`, label: words.patternLabel(number), live, ondraw });
      const overlap = h("output", { testid: `overlap-${number}` });
      const meter = h("div", { class: "meter" }, h("i"));
      const corrupt = h("button", {
        type: "button", class: "quiet edged tiny", testid: `corrupt-${number}`, disabled: !live,
        onclick: () => this.change({ source: number, probe: "" }),
      }, words.corruptIt);
      const forget = h("button", {
        type: "button", class: "mini", "aria-label": words.forget(number), title: words.forget(number),
        testid: `forget-${number}`, disabled: !live || n === 1, onclick: () => this.forget(i),
      }, "\u2212");
      const element = h("div", { class: "pattern" }, board.element, h("div", { class: "row" }, words.overlap, overlap),
        meter, h("div", { class: "row" }, corrupt, forget));
      return { board, element, overlap, meter };
    });
    this.patterns.replaceChildren(...this.boards.map(({ element }) => element));
  }

  forget(i) {
    const { patterns, source } = this.controls.settings;
    const kept = patterns.filter((_, k) => k !== i);
    this.change({ patterns: kept, source: Math.max(1, Math.min(kept.length, source > i + 1 ? source - 1 : source)) });
  }

  showMemory() {
    const { frame, arrays, scene, time } = this.now;
    this.state.show(arrays.state.data, scene.side, frame.unit);
    write(this.energy.output, decimal(frame.energy));
    write(this.visited.output, frame.unit === null ? "\u2013" : String(frame.unit + 1));
    frame.overlaps.forEach((overlap, i) => {
      const { overlap: output, meter } = this.boards[i];
      write(output, decimal(overlap));
      meter.classList.toggle("minus", overlap < 0);
      meter.firstChild.style.width = `${50 * Math.abs(overlap)}%`;
    });
    write(this.verdict, this.verdictText(frame));
    showEnergies(this.curve, arrays.energies.data, time, frame.energy);
  }

  verdictText({ isOver, isCycle, overlaps }) {
    const { words } = this;
    if (isCycle) return words.cycle;
    if (!isOver) return words.running;
    const place = overlaps.findIndex((overlap) => Math.abs(overlap) > 0.9999);
    if (place < 0) return words.spurious;
    return overlaps[place] > 0 ? words.recalled(place + 1) : words.inverse(place + 1);
  }

  showTour() {
    const { frame, arrays, scene, time } = this.now;
    const { words } = this;
    const { data } = arrays.cities;
    write(this.length.output, frame.length.toFixed(3));
    write(this.shortest.output, scene.shortest.toFixed(3));
    write(this.tourEnergy.output, frame.energy.toFixed(3));
    write(this.decided, frame.isDecided ? words.decided : words.undecided);
    const stops = frame.order.flatMap((city) => [data[2 * city], data[2 * city + 1]]);
    const labels = Array.from({ length: frame.n }, (_, i) => (
      { kind: "text", x: data[2 * i] + 0.02, y: data[2 * i + 1] + 0.02, anchor: "start", text: String(i + 1) }));
    this.map.show({ range: [-0.05, 1.05, -0.05, 1.05], marks: [
      { kind: "line", look: frame.isDecided ? "strong" : "pale", points: stops, isClosed: true },
      { kind: "dots", look: "city", points: data, radius: 0.45 }, ...labels] });
    const range = [0.5, frame.n + 0.5, 0.5, frame.n + 0.5];
    this.outputs.show({ range, heat: { values: arrays.outputs, map: this.colours }, marks: [] });
    showEnergies(this.tourCurve, arrays.energies.data, time, frame.energy, FIRST_FALL);
  }

  setCity(x, y) {
    const cities = Array.from(this.now.arrays.cities.data, (value) => +value.toFixed(2));
    const near = cities.findIndex((_, i) => i % 2 === 0 && Math.hypot(cities[i] - x, cities[i + 1] - y) < NEAR);
    if (near >= 0) cities.splice(near, 2);
    else if (cities.length / 2 < this.mostCities) cities.push(inUnit(x), inUnit(y));
    this.change({ cities });
  }
}

/** A square of units that a visitor can draw on. */
class Board {
  constructor({ testid, label, live, ondraw }) {
    this.ondraw = ondraw;
    this.element = s("svg", { class: `board${live ? " drawable" : ""}`, role: "img", "aria-label": label, testid });
    if (!live) return;
    this.element.addEventListener("pointerdown", (event) => {
      const index = this.indexOf(event);
      this.element.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.pen = this.values[index] ? 0 : 1;
      this.paint(index);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.pen !== undefined && this.element.hasPointerCapture(event.pointerId)) this.paint(this.indexOf(event));
    });
    this.element.addEventListener("pointerup", () => (this.pen = undefined));
  }

  indexOf(event) {
    const box = this.element.getBoundingClientRect();
    const cell = (value) => Math.max(0, Math.min(this.side - 1, Math.floor(value * this.side)));
    return cell((event.clientY - box.top) / box.height) * this.side + cell((event.clientX - box.left) / box.width);
  }

  paint(index) {
    if (this.values[index] === this.pen) return;
    this.values[index] = this.pen;
    this.draw();
    this.ondraw(hexOf(this.values));
  }

  /** Show `values` of 0 and 1, row by row; `visited` is the unit to be marked. */
  show(values, side, visited = null) {
    Object.assign(this, { values: Array.from(values), side, visited });
    this.draw();
  }

  draw() {
    const { values, side, visited } = this;
    if (this.squares?.length !== values.length) this.build(side);
    values.forEach((value, i) => {
      const look = value ? "piece" : "paper";
      if (this.squares[i].getAttribute("class") !== look) this.squares[i].setAttribute("class", look);
    });
    this.mark.style.display = visited === null ? "none" : "";
    this.mark.setAttribute("x", visited % side);
    this.mark.setAttribute("y", Math.floor(visited / side));
  }

  build(side) {
    this.element.setAttribute("viewBox", `0 0 ${side} ${side}`);
    this.squares = this.values.map((_, i) => s("rect", { x: i % side, y: Math.floor(i / side), width: 1, height: 1 }));
    this.mark = s("rect", { class: "visited", width: 1, height: 1 });
    this.element.replaceChildren(...this.squares, this.mark);
  }
}

/** Write 100 zeros and ones as 25 hexadecimal digits. */
function hexOf(values) {
  const bits = Array.from(values, (value) => (value ? "1" : "0")).join("");
  return bits.match(/.{4}/g).map((four) => parseInt(four, 2).toString(16)).join("");
}

/** Draw energies over steps; the fall of the first `skipped` steps may leave the picture. */
function showEnergies(graph, data, { step, last }, here, skipped = 0) {
  const low = Math.min(...data);
  const high = Math.max(...data.subarray(Math.min(skipped, data.length - 1)), low + 1e-6);
  const room = 0.08 * (high - low) || 1;
  graph.show({ range: [0, Math.max(last, 4), low - room, high + room], marks: [
    { kind: "line", look: "now", points: [step, low - room, step, high + room] },
    { kind: "line", look: "strong", points: Array.from(data, (energy, i) => [i, energy]).flat() },
    { kind: "dots", look: "here", points: [step, here], radius: 0.45 }] });
}

function inUnit(value) {
  return +Math.max(0, Math.min(1, value)).toFixed(2);
}
