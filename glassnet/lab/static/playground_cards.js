// The playground's further cards: many seeds at once, one update in numbers, another classifier.

import { h, write } from "./dom.js";
import { Graph } from "./graph.js";
import { niceCeiling } from "./chart.js";
import { anySize, decimal, lossText } from "./numbers.js";
import { Plane } from "./plane.js";
import { readout } from "./readout.js";

const LEAST_WRITTEN_OUT = 1e-4; // smaller numbers are written with a power of ten

/** The spread of many seeds: curves, the error of each, and the numbers. */
export class SeedsCard {
  constructor({ words, controls }) {
    this.words = words;
    this.curves = new Graph({ xLabel: words.stepAxis, yLabel: words.crossEntropy, label: words.seedCurves, testid: "seed-curves" });
    this.bars = new Graph({
      xLabel: words.seedAxis, yLabel: words.testError, label: words.seedErrors, testid: "seed-errors",
      xTick: (k) => (Number.isInteger(k) && k >= 1 ? this.first + k - 1 : ""),
    });
    this.numbers = ["median", "low", "high"].map((name) => readout(words.seedNumbers[name], `seeds-${name}`));
    const key = (look, text) => h("span", {}, h("i", { class: look }), text);
    this.content = h("div", { class: "group" }, h("div", { class: "numbers" }, this.numbers), this.curves.element,
      h("div", { class: "legend" }, key("line first", words.medianTest), key("box spread", words.lowestToHighest),
        key("line third", words.medianTrain)), this.bars.element);
    this.element = h("section", { class: "card" }, h("div", { class: "head" }, h("h2", {}, words.manySeeds), controls.select("seeds")),
      h("p", { class: "note" }, words.seedsNote), this.content);
  }

  show({ frame, arrays, settings, time }) {
    this.content.hidden = !frame.seeds;
    if (!frame.seeds) return;
    this.first = settings.seed;
    const isRegression = settings.problem === "regression";
    const text = (value) => (isRegression ? lossText(value) : `${(100 * value).toFixed(1)}%`);
    ["median", "low", "high"].forEach((name, i) => write(this.numbers[i].output, text(frame.seeds[name])));
    this.curves.yLabel = isRegression ? this.words.squaredError : this.words.crossEntropy;
    this.bars.yLabel = isRegression ? this.words.testLoss : this.words.testError;
    this.showCurves(arrays.seedCurve.data, time);
    const errors = arrays.seedErrors.data;
    this.bars.show({ range: [0.4, errors.length + 0.6, 0, niceCeiling(Math.max(...errors, 0.01))], marks: [
      { kind: "bars", values: errors, floor: 0 },
    ] });
  }

  /** Draw rows of step, and median, lowest and highest of the train and of the test losses. */
  showCurves(rows, { step, last }) {
    let highest = 0;
    for (let i = 6; i < rows.length; i += 7) if (Number.isFinite(rows[i])) highest = Math.max(highest, rows[i]);
    const range = [0, Math.max(last, 1), 0, niceCeiling(highest || 1)];
    const band = [];
    for (let i = 0; i < rows.length; i += 7) band.push(rows[i], rows[i + 6]);
    for (let i = rows.length - 7; i >= 0; i -= 7) band.push(rows[i], rows[i + 5]);
    const line = (look, column) => ({ kind: "line", look, points: rows, columns: 7, at: [0, column] });
    this.curves.show({ range, marks: [
      { kind: "line", look: "spread", points: band, isClosed: true },
      { kind: "line", look: "now", points: [step, 0, step, range[3]] }, line("third", 1), line("first", 4),
    ] });
  }
}

/** The next update of one weight, worked through. */
export class UpdateCard {
  constructor({ words, change, live }) {
    Object.assign(this, { words });
    this.name = h("p", { class: "formula", testid: "update-name" });
    this.formula = h("p", { class: "callout", testid: "update-formula" });
    this.terms = h("tbody");
    this.samples = h("tbody");
    this.sampleTable = h("table", { testid: "update-samples" },
      h("thead", {}, h("tr", {}, words.sampleHeads.map((text) => h("th", { scope: "col" }, text)))), this.samples);
    this.close = h("button", {
      type: "button", class: "quiet", testid: "update-close", disabled: !live, onclick: () => change({ weight: [] }),
    }, words.closeUpdate);
    this.content = h("div", { class: "group" }, this.name, this.formula,
      h("table", { testid: "update-terms" }, this.terms), this.sampleTable);
    this.element = h("section", { class: "card" }, h("div", { class: "head" }, h("h2", {}, words.oneUpdate), this.close),
      h("p", { class: "note" }, words.updateNote), this.content);
  }

  /** `nameOf(address)` says in words which weight is meant. */
  show({ frame: { update }, arrays }, nameOf) {
    this.content.hidden = this.close.hidden = !update;
    if (!update) return;
    const { words } = this;
    const texts = Object.fromEntries(Object.entries(update.terms).map(([name, value]) => [name, exact(value)]));
    write(this.name, nameOf(update.address));
    write(this.formula, words.updates[update.solver](texts));
    this.fill(this.terms, Object.entries(texts).map(([name, text]) => [words.terms[name](update.n), text]), "term");
    const rows = arrays.updateSamples.data;
    const samples = Array.from({ length: rows.length / 3 }, (_, i) => [words.sample(i + 1), ...Array.from(rows.subarray(3 * i, 3 * i + 3), exact)]);
    this.sampleTable.hidden = samples.length === 0;
    if (samples.length) samples.push(samples.length < update.n ? words.moreSamples(update.n) : words.meanOfSamples(texts.gradient));
    this.fill(this.samples, samples);
  }

  fill(body, rows) {
    const key = JSON.stringify(rows);
    if (body.key === key) return;
    body.key = key;
    body.replaceChildren(...rows.map(([name, ...cells]) =>
      h("tr", {}, h("th", { scope: "row" }, name), cells.map((cell) => h("td", {}, cell)))));
  }
}

/** Another classifier on the same points, its map and its errors. */
export class RivalCard {
  constructor({ words, controls, half, ticks }) {
    Object.assign(this, { words });
    this.plane = new Plane({ half, ticks, names: ["x\u2081", "x\u2082"], label: words.rivalMap, testid: "rival-map" });
    this.numbers = [readout(words.trainError, "rival-train-error"), readout(words.testError, "rival-test-error")];
    this.caption = h("p", { class: "note", testid: "rival-code" });
    this.content = h("div", { class: "group" }, h("div", { class: "numbers" }, this.numbers), this.plane.element, this.caption);
    this.select = controls.select("rival");
    this.element = h("section", { class: "card" }, h("div", { class: "head" }, h("h2", {}, words.rival), this.select),
      h("p", { class: "note" }, words.rivalNote), this.content);
  }

  show({ scene: { rival }, arrays, settings }) {
    this.element.hidden = settings.problem === "regression";
    this.content.hidden = !rival;
    if (!rival) return;
    [rival.trainError, rival.testError].forEach((share, i) => write(this.numbers[i].output, `${(100 * share).toFixed(1)}%`));
    write(this.caption, this.words.rivalCode(rival.code, rival.fitted));
    this.map = arrays.rivalMap;
  }

  /** Draw the map and the points, in the theme's colours. */
  paint(groups, { colours, mapColours, edge }) {
    if (!this.map || this.content.hidden) return;
    this.plane.showMap(this.map, mapColours);
    this.plane.showPoints(groups, colours, edge);
  }
}

function exact(value) {
  return value !== 0 && Math.abs(value) < LEAST_WRITTEN_OUT ? anySize(value) : decimal(value, 6);
}
