// LeNet-5: a digit through every layer, one number of a map, a strip read by sliding. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { DrawingPad } from "../static/drawing.js";
import { drawHeatmap } from "../static/heatmap.js";
import { decimal } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const DIGIT_SIDE = 28;
const FLOORS = ["picture", "c1", "s2", "c3", "s4", "c5", "f6", "output"];
// pixels that a value of a layer is wide on the page
const ZOOM = { picture: 2.5, c1: 2.5, s2: 3.2, c3: 3.4, s4: 5.4, c5: 9, f6: 9, output: 16 };
const CELLS = ["c5", "f6", "output"];
const FIELD_SIZE = 60;
const STRAIGHT = { right: 0, down: 0, scale: 1, rotation: 0, squeeze: 1, thicken: 0, blur: 0 };
const WARP_STEPS = { right: 0.5, down: 0.5, scale: 0.05, rotation: 5, squeeze: 0.05, thicken: 0.1, blur: 0.1 };

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new LeNetView(root, context);
}

class LeNetView {
  constructor(root, { words, controls, change, upload, live = true }) {
    Object.assign(this, { root, words, controls, change, upload, live, maps: {} });
    root.replaceChildren(h("div", { class: "lenet" }, this.digitCard(), this.layersCard(),
      h("div", { class: "below" }, this.unitCard(), this.answerCard()), this.stripCard()));
    onThemeChange(() => this.now && this.show(this.now, true));
  }

  // the cards

  digitCard() {
    const { words, controls, live } = this;
    const ondraw = (ink) => this.change({ source: "drawn", drawn: lettersOf(ink), ...STRAIGHT });
    this.pad = new DrawingPad({ side: DIGIT_SIDE, label: words.pad, testid: "pad", ondraw, live });
    const button = (testid, text, onclick) =>
      h("button", { type: "button", class: "quiet edged", testid, disabled: !live, onclick }, text);
    const file = h("input", {
      type: "file", accept: "image/*", class: "hidden-file", tabindex: -1, "aria-label": words.upload, testid: "file",
      disabled: !live, onchange: () => this.open(file),
    });
    this.samples = h("div", { class: "samples", testid: "samples" });
    const sliders = Object.entries(WARP_STEPS).map(([name, step]) =>
      controls.slider(name, { step, unit: name === "rotation" ? "\u00b0" : "" }));
    return h("section", { class: "card digit" },
      h("div", { class: "head" }, h("h2", {}, words.digit), controls.radios("source")),
      h("div", { class: "knobs" }, this.pad.element, this.samples,
        h("div", { class: "row wrap" },
          button("another", words.another, () => this.another()),
          button("clear", words.clear, () => this.change({ source: "drawn", drawn: "", ...STRAIGHT })),
          button("open-file", words.upload, () => file.click()), file)),
      h("div", { class: "knobs" }, sliders,
        button("straight", words.straight, () => this.change(STRAIGHT))));
  }

  async open(input) {
    const [file] = input.files;
    input.value = "";
    if (file) await this.upload("picture", file, { source: "drawn", drawn: "", ...STRAIGHT });
  }

  another() {
    const { minimum, maximum } = this.controls.properties.sample;
    this.change({ source: "sample", sample: minimum + Math.floor(Math.random() * (maximum - minimum + 1)) });
  }

  layersCard() {
    const { words, controls } = this;
    this.testError = readout(words.testError, "test-error");
    this.training = h("div", { class: "training" }, controls.select("learningRate"), controls.seed("seed"),
      this.testError, h("p", { class: "note" }, words.trainingNote));
    const floors = FLOORS.map((name) => {
      this.maps[name] = h("div", { class: "floor-maps", testid: `layer-${name}` });
      return h("div", { class: "floor" }, h("span", { class: "floor-name" }, words.names[name]), this.maps[name]);
    });
    return h("section", { class: "card layers-card" },
      h("div", { class: "head" }, h("h2", {}, words.layers), controls.radios("net")), this.training,
      h("div", { class: "floors" }, floors),
      h("p", { class: "note" }, words.mapNote));
  }

  unitCard() {
    this.unitTitle = h("h2", { testid: "unit-title" });
    this.fields = h("div", { class: "fields" });
    this.total = h("output", { class: "callout", testid: "unit-total" });
    return h("section", { class: "card" }, this.unitTitle, this.fields, this.total);
  }

  answerCard() {
    const { words } = this;
    this.digit = h("output", { testid: "digit" });
    this.truth = h("span", { class: "note", testid: "truth" });
    this.classes = h("div", { class: "classes", role: "group", "aria-label": words.bars });
    this.bars = Array.from({ length: 10 }, (_, digit) => {
      const bar = h("i");
      const value = h("span", { testid: `probability-${digit}` });
      return Object.assign(h("div", {}, h("span", {}, String(digit)), bar, value), { bar, value });
    });
    this.classes.append(...this.bars);
    return h("section", { class: "card" }, h("h2", {}, words.answer),
      h("div", { class: "answer" }, this.digit, this.truth), this.classes);
  }

  stripCard() {
    const { words, controls } = this;
    this.strip = h("canvas", { role: "img", "aria-label": words.stripPicture, testid: "strip-picture" });
    this.windows = h("canvas", { role: "img", "aria-label": words.windows, testid: "windows" });
    this.rows = h("div", { class: "rows", "aria-hidden": "true" }, Array.from({ length: 10 }, (_, i) => h("span", {}, String(i))));
    this.reads = readout(words.reads, "reads");
    return h("section", { class: "card slide" }, h("h2", {}, words.stripTitle),
      h("div", { class: "knobs" }, controls.text("strip"), controls.slider("gap", { step: 4 }), this.reads),
      h("div", { class: "reading" }, h("span"), this.strip, this.rows, this.windows), h("p", { class: "note" }, words.stripNote));
  }

  // drawing

  show(now, isNew) {
    this.now = now;
    if (isNew) this.colours = colourMap(themeColours(this.root));
    if (isNew || !this.samples.children.length) this.showSamples();
    const { frame, arrays, settings } = now;
    this.pad.show(arrays.plain.data.map((value) => 128 + value / 2.01), this.colours, settings.source === "drawn" && settings.drawn
      ? inkOf(settings.drawn) : new Float32Array(DIGIT_SIDE * DIGIT_SIDE));
    for (const name of FLOORS) this.showLayer(name, arrays[name]);
    this.showUnit(frame.unit, arrays);
    this.showAnswer(frame);
    this.showStrip(frame.strip, arrays);
  }

  showSamples() {
    const { samples } = this.now.scene;
    const { data } = this.now.arrays.samples;
    this.samples.replaceChildren(...samples.map((sample, digit) => {
      const canvas = h("canvas");
      drawHeatmap(canvas, data.subarray(digit * DIGIT_SIDE * DIGIT_SIDE, (digit + 1) * DIGIT_SIDE * DIGIT_SIDE).map((v) => 128 + v / 2.01), DIGIT_SIDE, DIGIT_SIDE, this.colours);
      return h("button", {
        type: "button", testid: `sample-${digit}`, "aria-label": this.words.sampleName(digit), disabled: !this.live,
        onclick: () => this.change({ source: "sample", sample }),
      }, canvas);
    }));
  }

  showLayer(name, { shape: [n, height, width], data }) {
    const row = this.maps[name];
    while (row.children.length < n) row.append(this.map(name, row.children.length, height, width));
    const { layer, map } = this.now.frame.unit;
    for (let i = 0; i < n; i++) {
      const button = row.children[i];
      drawHeatmap(button.firstChild, data.subarray(i * height * width, (i + 1) * height * width), height, width, this.colours);
      if (name !== "picture") button.setAttribute("aria-pressed", layer === name && map === i);
    }
  }

  map(name, index, height, width) {
    const canvas = h("canvas");
    Object.assign(canvas.style, { width: `${width * ZOOM[name]}px`, height: `${height * ZOOM[name]}px` });
    if (name === "picture") return h("div", {}, canvas);
    const label = this.words.mapName(this.words.shortNames[name], index);
    const look = (event) => {
      const box = canvas.getBoundingClientRect();
      const isPointed = event.clientX > 0 || event.clientY > 0;
      const inside = (share, size) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
      const lookRow = isPointed ? inside((event.clientY - box.top) / box.height, height) : Math.floor(height / 2);
      const lookColumn = isPointed ? inside((event.clientX - box.left) / box.width, width) : Math.floor(width / 2);
      this.change({ lookLayer: name, lookMap: index, lookRow, lookColumn });
    };
    return h("button", {
      type: "button", "aria-label": label, title: label, testid: `map-${name}-${index}`, disabled: !this.live, onclick: look,
    }, canvas);
  }

  showUnit(unit, { patch, kernel, [unit.layer]: maps }) {
    const { words } = this;
    const { layer, map, row, column, below, z, bias, output } = unit;
    const name = words.shortNames[layer];
    write(this.unitTitle, CELLS.includes(layer)
      ? words.cellTitle(name, row * maps.shape[2] + column) : words.unitTitle(name, map, row, column));
    const figure = (title, array) => h("figure", {}, h("figcaption", {}, title), this.stack(array));
    this.fields.replaceChildren(figure(words.sees(words.shortNames[below]), patch),
      ...(kernel.data.length ? [figure(words.weights, kernel)] : []));
    if (z === null) return write(this.total, words.pooled(decimal(output, 4)));
    const sum = words.total(decimal(z - bias, 4), decimal(bias, 4), decimal(z, 4));
    write(this.total, `${sum}; ${layer === "output" ? words.score(decimal(output, 4)) : words.rectified(decimal(output, 4))}`);
  }

  /** Small pictures of an array (maps, height, width), all on one scale. */
  stack({ shape, data }) {
    const [n, height, width] = shape;
    const most = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9);
    const bytes = Uint8Array.from(data, (value) => Math.round(127.5 + (127.5 * value) / most));
    const zoom = Math.max(3, Math.floor(FIELD_SIZE / Math.max(height, width) / (n > 8 ? 2 : 1)));
    const canvases = Array.from({ length: n }, (_, i) => {
      const canvas = h("canvas");
      drawHeatmap(canvas, bytes.subarray(i * height * width, (i + 1) * height * width), height, width, this.colours);
      Object.assign(canvas.style, { width: `${zoom * width}px`, height: `${zoom * height}px` });
      return canvas;
    });
    return h("div", { class: "stack" }, canvases);
  }

  showAnswer({ digit, truth, probability, testError }) {
    const { words } = this;
    write(this.digit, String(digit));
    write(this.truth, truth === null ? "" : words.truth(truth));
    this.bars.forEach((row, i) => {
      row.bar.style.transform = `scaleX(${probability[i]})`;
      write(row.value, `${(100 * probability[i]).toFixed(1)}%`);
      row.classList.toggle("best", i === digit);
    });
    this.training.hidden = testError === null;
    if (testError !== null) write(this.testError.output, `${(100 * testError).toFixed(1)}%`);
  }

  showStrip({ read }, { strip, windows }) {
    write(this.reads.output, read);
    const [height, width] = strip.shape;
    drawHeatmap(this.strip, strip.data.map((value) => 128 + value / 2.01), height, width, this.colours);
    this.strip.style.maxWidth = this.windows.style.maxWidth = `${5 * width}px`;
    this.windows.hidden = this.rows.hidden = windows.data.length === 0;
    if (this.windows.hidden) return;
    const [n] = windows.shape;
    const heat = new Uint8Array(10 * width).fill(128);
    for (let x = 0; x < width; x++) {
      const at = Math.max(0, Math.min(n - 1, Math.round((x - 16) / 4)));
      for (let digit = 0; digit < 10; digit++) heat[digit * width + x] = 128 + 127 * windows.data[at * 10 + digit];
    }
    drawHeatmap(this.windows, heat, 10, width, this.colours);
  }
}

/** Pixels as the setting's letters, 0 to f, and back. */
function lettersOf(ink) {
  return Array.from(ink, (value) => Math.round(15 * value).toString(16)).join("");
}

function inkOf(letters) {
  return Float32Array.from(letters, (letter) => parseInt(letter, 16) / 15);
}
