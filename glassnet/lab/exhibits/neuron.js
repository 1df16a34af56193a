// The neuron: a threshold unit, a spiking one, and nets of threshold units. It draws what Python computed.

import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { decimal } from "../static/numbers.js";
import { readout } from "../static/readout.js";
import { Wiring } from "../static/wiring.js";

// gate -> settings, in the lecture's own numbers
const GATES = {
  AND: { weight1: 1, weight2: 1, threshold: 2 },
  OR: { weight1: 1, weight2: 1, threshold: 0.5 },
  NOT: { weight1: -0.6, weight2: 0, threshold: -0.5 },
};
const BITS = 4;
const FINE = { step: 0.05 };

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new NeuronView(root, context);
}

class NeuronView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { words, controls, change, live });
    root.replaceChildren(h("div", { class: "quarters" },
      this.neuronCard(), this.spikingCard(), this.formulaCard(), this.adderCard()));
  }

  // the four cards

  neuronCard() {
    const { words, controls } = this;
    this.wiring = this.newWiring("neuron-net", words.neuronDiagram, (i) => {
      const { inputs, row } = this.now.frame;
      this.change({ neuronRow: row ^ (1 << (inputs[0].length - 1 - i)) });
    });
    this.truth = new TruthTable(words, "truth", (neuronRow) => this.change({ neuronRow }), this.live);
    this.verdict = h("output", { class: "callout", testid: "verdict" });
    this.third = controls.slider("weight3", FINE);
    const gates = Object.entries(GATES).map(([name, settings]) =>
      this.button(`gate-${name}`, words.gates[name], { ...settings, threeInputs: false }));
    return h("section", { class: "card" },
      h("div", { class: "head" }, h("h2", {}, words.neuron), h("div", { class: "row" }, gates)),
      h("div", { class: "knobs" }, controls.slider("weight1", FINE), controls.slider("weight2", FINE), this.third,
        controls.slider("threshold", FINE), controls.select("convention"), controls.toggle("threeInputs")),
      h("div", { class: "sight" }, this.wiring.element, this.truth.element), this.verdict);
  }

  spikingCard() {
    const { words, controls } = this;
    const slider = (name) => controls.slider(name, { step: 0.01 });
    this.rate = readout(words.firingRate, "rate");
    this.spikes = readout("", "spikes");
    this.difference = readout(words.difference, "difference");
    this.trace = new Graph({ xLabel: words.step, yLabel: words.potential, label: words.trace, testid: "trace" });
    this.curve = new Graph({ xLabel: words.inputCurrent, yLabel: words.rate, label: words.rateCurve, testid: "rate-curve" });
    const key = (look, text) => h("span", {}, h("i", { class: `line ${look}` }), text);
    return h("section", { class: "card spiking" }, h("h2", {}, words.spiking),
      h("div", { class: "knobs" }, slider("current"), slider("spikeThreshold"), slider("leak"),
        controls.slider("refractory"), slider("noise"), controls.seed("seed")),
      h("div", { class: "numbers" }, this.rate, this.spikes, this.difference),
      this.trace.element, this.curve.element,
      h("div", { class: "legend" }, key("first", words.measured), key("third", words.sigmoid)),
      h("p", { class: "note" }, words.spikingNote));
  }

  formulaCard() {
    const { words, controls } = this;
    this.formula = this.newWiring("formula-net", words.formulaDiagram, (i) => {
      const { inputNames, row } = this.now.frame.formula;
      this.change({ formulaRow: row ^ (1 << (inputNames.length - 1 - i)) });
    });
    this.table = new TruthTable(words, "table", (formulaRow) => this.change({ formulaRow }), this.live);
    this.neurons = readout(words.neurons, "neurons");
    this.layers = readout(words.layers, "layers");
    const examples = words.examples.map((text, i) => this.button(`example-${i + 1}`, text, { formula: text }));
    return h("section", { class: "card" }, h("h2", {}, words.formulaTitle),
      controls.text("formula"), h("div", { class: "legend" }, examples), h("p", { class: "note" }, words.formulaNote),
      h("div", { class: "numbers" }, this.neurons, this.layers),
      h("div", { class: "sight" }, this.formula.element, this.table.element));
  }

  adderCard() {
    const { words, controls } = this;
    this.adder = this.newWiring("adder-net", words.adderDiagram, (i) => {
      const name = i < BITS ? "a" : "b";
      this.change({ [name]: controls.settings[name] ^ (1 << (i % BITS)) });
    });
    this.equation = h("output", { class: "equation", testid: "sum" });
    this.adderNote = h("p", { class: "note" });
    const key = (look, text) => h("span", {}, h("i", { class: look }), text);
    return h("section", { class: "card adder" }, h("h2", {}, words.adder),
      h("div", { class: "sight" },
        h("div", { class: "knobs" }, this.equation, controls.slider("a"), controls.slider("b"), this.adderNote,
          h("div", { class: "legend" }, key("line", words.excites), key("line minus", words.inhibits))),
        this.adder.element));
  }

  newWiring(testid, label, onswitch) {
    const { words, live } = this;
    return new Wiring({ label, testid, inputLabel: words.switchInput, onswitch: live ? onswitch : null });
  }

  button(testid, text, settings) {
    const onclick = () => this.change(settings);
    return h("button", { type: "button", class: "quiet edged", testid, disabled: !this.live, onclick }, text);
  }

  // drawing

  show(now) {
    this.now = now;
    this.showNeuron(now);
    this.showSpikes(now);
    this.showFormula(now);
    this.showAdder(now);
  }

  showNeuron({ frame, settings }) {
    const { inputs, answers, weightedSums, row } = frame;
    const { words } = this;
    this.third.hidden = !settings.threeInputs;
    const names = inputs[0].map((_, i) => words.input(i));
    const weights = [settings.weight1, settings.weight2, settings.weight3].slice(0, names.length);
    this.wiring.show({
      inputNames: names, outputNames: [words.answer], fires: [inputs[row], [answers[row]]],
      thresholds: [[settings.threshold]], labels: [[""]],
    }, weights);
    this.truth.show([...names, words.answer], inputs, answers, row);
    const [sum, threshold] = [decimal(weightedSums[row]), decimal(settings.threshold)];
    const holds = answers[row] === 1;
    const sign = settings.convention === ">=" ? (holds ? "\u2265" : "<") : (holds ? ">" : "\u2264");
    write(this.verdict, words.pre(sum, threshold, sign, holds ? words.fires : words.silent));
  }

  showSpikes({ frame, arrays, settings }) {
    const { trace, rates } = arrays;
    const [n] = trace.shape;
    write(this.rate.output, frame.rate.toFixed(3));
    write(this.spikes.querySelector("span"), this.words.spikes(n));
    write(this.spikes.output, String(frame.spikes));
    write(this.difference.output, `${(100 * frame.sigmoid.difference).toFixed(1)}%`);
    const potentials = Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 ? trace.data[i - 1] : i / 2 + 1));
    const highest = Math.max(settings.spikeThreshold * 1.25, ...potentials.filter((_, i) => i % 2));
    const lowest = Math.min(0, ...potentials.filter((_, i) => i % 2));
    const spikes = [];
    for (let i = 0; i < n; i++) if (trace.data[2 * i + 1]) spikes.push(i + 1, trace.data[2 * i]);
    const level = [1, settings.spikeThreshold, n, settings.spikeThreshold];
    this.trace.show({
      range: [1, n, lowest, highest], marks: [
        { kind: "line", look: "now", points: level }, { kind: "line", look: "first", points: potentials },
        { kind: "dots", points: spikes, radius: 0.28 },
      ],
    });
    const most = 1.05 / (1 + settings.refractory);
    const here = [settings.current, 0, settings.current, most];
    this.curve.show({
      range: [0, 1, 0, most], marks: [
        { kind: "line", look: "now", points: here },
        { kind: "line", look: "third", points: rates.data, columns: 3, at: [0, 2] },
        { kind: "line", look: "first", points: rates.data, columns: 3 },
      ],
    });
  }

  showFormula({ frame: { formula }, arrays }) {
    this.formula.show({ ...formula, outputNames: formula.outputNames.map(() => this.words.answer) }, arrays.formulaWeights.data);
    this.table.show([...formula.inputNames, this.words.answer], formula.rows, formula.table, formula.row);
    write(this.neurons.output, String(formula.nNeurons));
    write(this.layers.output, String(formula.labels.length));
  }

  showAdder({ frame, arrays, settings }) {
    this.adder.show(frame.adder, arrays.adderWeights.data);
    write(this.equation, this.words.equation(settings.a, settings.b, frame.sum));
    write(this.adderNote, this.words.adderNote(frame.adder.nNeurons, frame.adder.nRelays));
  }
}

/** A table of all inputs and their answers; a click chooses a row. */
class TruthTable {
  constructor(words, testid, onrow, live) {
    Object.assign(this, { words, testid, onrow, live });
    this.element = h("table", { class: "truth", testid, "aria-label": words.table });
  }

  show(names, rows, answers, chosen) {
    const row = (bits, i) => h("tr", {
      "aria-current": i === chosen, testid: `${this.testid}-${i}`, onclick: () => this.live && this.onrow(i),
    }, bits.map((bit) => h("td", {}, String(bit))),
    h("td", { class: answers[i] ? "fires" : "", testid: `${this.testid}-answer-${i}` }, String(answers[i])));
    this.element.replaceChildren(
      h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map(row)));
  }
}
