// Any function: bumps under a drawn curve, and a wide network beside a deep one. It draws what Python computed.

import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { decimal } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const RANGE = [0, 1, -1.4, 1.4];

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new AnyFunctionView(root, context);
}

class AnyFunctionView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { words, controls, change });
    this.graph = new Graph({ xLabel: words.input, yLabel: words.output, label: words.graphLabel, testid: "graph" });
    this.graph.element.classList.add("drawing");
    if (live) this.listen();
    root.replaceChildren(h("div", { class: "bench" }, this.settingsCard(), this.mainCard(), this.builtSide(), this.trainedSide()));
  }

  settingsCard() {
    const { controls, words } = this;
    this.builtSettings = h("div", { class: "group" }, controls.slider("bumps"), controls.slider("steepness"));
    this.trainedSettings = h("div", { class: "group" }, controls.slider("width"), controls.slider("layers"),
      controls.slider("units"), controls.select("activation"), controls.select("learningRate"), controls.seed("seed"));
    this.note = h("p", { class: "note" });
    return h("section", { class: "card settings" }, controls.radios("mode", { shape: "stacked" }),
      controls.select("shape"), this.builtSettings, this.trainedSettings, this.note,
      h("p", { class: "note" }, words.drawNote));
  }

  mainCard() {
    const { words } = this;
    this.keys = h("div", { class: "legend" });
    return h("section", { class: "card main" }, h("div", { class: "head" }, h("h2", {}, words.graphTitle), this.keys),
      this.graph.element);
  }

  builtSide() {
    const { words } = this;
    this.largest = readout(words.largest, "largest-error");
    this.square = readout(words.square, "square-error");
    this.count = readout(words.unitCount, "unit-count");
    this.parameters = readout(words.parameters, "parameters");
    return h("section", { class: "card side" }, h("div", { class: "numbers" }, this.largest, this.square),
      h("div", { class: "numbers" }, this.count, this.parameters), h("p", { class: "formula" }, words.bump),
      h("p", { class: "callout" }, words.builtCallout));
  }

  trainedSide() {
    const { words } = this;
    this.nets = ["wide", "deep"].map((kind, i) => {
      const loss = h("output", { testid: `${kind}-square` });
      const parts = { loss, largest: h("span", { testid: `${kind}-largest` }), size: h("span", { testid: `${kind}-size` }) };
      const element = h("div", { class: `run run-${i}` },
        h("div", { class: "head" }, h("span", {}, words[kind]), loss), h("p", { class: "note" }, parts.size, " ", parts.largest));
      return { ...parts, element };
    });
    this.curve = new Graph({ xLabel: words.step, yLabel: words.square, label: words.curveLabel, testid: "losses", left: 4.8 });
    this.curve.element.classList.add("tall");
    return h("section", { class: "card side" }, h("div", { class: "runs" }, this.nets.map(({ element }) => element)),
      this.curve.element);
  }

  // drawing on the graph

  listen() {
    const { element } = this.graph;
    element.addEventListener("pointerdown", (event) => {
      const point = this.graph.at(event);
      if (!point) return;
      element.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.stroke = Array.from(this.now.scene.drawn);
      this.before = point;
      this.draw(point);
    });
    element.addEventListener("pointermove", (event) => {
      const point = this.stroke && this.graph.at(event);
      if (point) this.draw(point);
    });
    element.addEventListener("pointerup", () => (this.stroke = null));
  }

  /** Take the stroke from the last point to this one into the curve's values. */
  draw([x, y]) {
    const n = this.stroke.length;
    const [from, to] = [this.before, [x, y]].sort((a, b) => a[0] - b[0]);
    const first = Math.round(from[0] * (n - 1));
    const last = Math.round(to[0] * (n - 1));
    for (let i = first; i <= last; i++) {
      const share = last > first ? (i - first) / (last - first) : 1;
      const value = last > first ? from[1] + share * (to[1] - from[1]) : y;
      this.stroke[i] = +Math.max(-1, Math.min(1, value)).toFixed(2);
    }
    this.before = [x, y];
    this.change({ shape: "own", curve: [...this.stroke] });
  }

  // drawing what came

  show(now, isNew) {
    this.now = now;
    const isBuilt = now.settings.mode === "built";
    if (isNew) this.showMode(isBuilt);
    this.showGraph(isBuilt);
    const { frame, settings, scene } = now;
    if (isBuilt) {
      write(this.largest.output, frame.errors[0].toFixed(4));
      write(this.square.output, frame.squares[0].toFixed(6));
      write(this.count.output, String(2 * settings.bumps));
      write(this.parameters.output, String(scene.parameters[0]));
      return;
    }
    this.nets.forEach(({ loss, largest }, i) => {
      write(loss, frame.squares[i].toFixed(6));
      write(largest, this.words.largestOf(frame.errors[i].toFixed(4)));
    });
    this.showLosses();
  }

  showMode(isBuilt) {
    const { words, now: { settings, scene } } = this;
    const [built, trained] = [this.largest.closest(".side"), this.curve.element.closest(".side")];
    built.hidden = this.builtSettings.hidden = !isBuilt;
    trained.hidden = this.trainedSettings.hidden = isBuilt;
    write(this.note, isBuilt ? words.builtNote : words.trainedNote);
    const key = (look, text) => h("span", {}, h("i", { class: `line ${look}` }), text);
    this.keys.replaceChildren(key("ink", words.drawn), ...(isBuilt
      ? [key("first", words.sum), key("third", words.bumps)] : [key("first", words.wide), key("second", words.deep)]));
    if (isBuilt) return;
    write(this.nets[0].size, words.size([settings.width], scene.parameters[0]));
    write(this.nets[1].size, words.size(Array(settings.layers).fill(settings.units), scene.parameters[1]));
  }

  showGraph(isBuilt) {
    const { arrays: { target, bumps, outputs } } = this.now;
    const n = target.data.length;
    const line = (look, data) => (
      { kind: "line", look, points: Array.from(data, (value, i) => [i / (n - 1), value]).flat() });
    const parts = Array.from({ length: bumps.shape[0] }, (_, i) => line("bump", bumps.data.subarray(n * i, n * (i + 1))));
    const looks = isBuilt ? ["strong"] : ["run-0", "run-1"];
    this.graph.show({ range: RANGE, marks: [...parts, line("ink", target.data),
      ...looks.map((look, i) => line(look, outputs.data.subarray(n * i, n * (i + 1))))] });
  }

  showLosses() {
    const { arrays: { curve: { data } }, time: { step, last } } = this.now;
    const log = (column) => {
      const points = [];
      for (let i = 0; i < data.length; i += 3) points.push(data[i], Math.log10(Math.max(1e-9, data[i + column])));
      return points;
    };
    const lines = [log(1), log(2)];
    const heights = lines.flatMap((points) => points.filter((_, i) => i % 2));
    const [low, high] = [Math.floor(Math.min(...heights)), Math.ceil(Math.max(...heights)) + 0.1];
    this.curve.yTick = (value) => (Number.isInteger(value) ? decimal(10 ** value, Math.max(0, -value)) : "");
    this.curve.show({ range: [0, Math.max(last, 4), low, high], marks: [
      { kind: "line", look: "now", points: [step, low, step, high] },
      ...lines.map((points, i) => ({ kind: "line", look: `run-${i}`, points }))] });
  }
}
