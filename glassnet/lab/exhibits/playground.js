// The playground: the settings, the data, the network, its output. It draws what Python computed.

import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { StepChart } from "../static/chart.js";
import { h, write } from "../static/dom.js";
import { drawScale } from "../static/heatmap.js";
import { NetworkDiagram } from "../static/network.js";
import { decimal, lossText } from "../static/numbers.js";
import { Plane, drawThumbnail } from "../static/plane.js";
import { RivalCard, SeedsCard, UpdateCard } from "../static/playground_cards.js";
import { readout } from "../static/readout.js";

const HALF = 6;
const TICKS = [-6, -3, 0, 3, 6];
const NEW_LAYER_UNITS = 4;
const MAP_STRENGTH = 0.7;
const LAYER_SETTINGS = ["layerActivation", "layerNorm", "layerDropout"];
const ERASED_WITHIN = 0.5; // how near a point must be to be taken away

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new Playground(root, context);
}

class Playground {
  constructor(root, { words, controls, change, ask, upload, say, properties, live = true }) {
    Object.assign(this, { root, words, controls, change, ask, upload, say, live });
    this.mostPoints = properties.points.maxItems / 3;
    const { items, maxItems } = properties.networkShape;
    this.mostLayers = maxItems;
    this.diagram = new NetworkDiagram({
      words, live, mostUnits: items.maximum, actions: {
        input: (name, on) => change({ [name]: on }),
        select: (...address) => change({ look: this.isShown(address) ? [] : address }),
        shape: (networkShape) => this.reshape(networkShape),
        weight: (...address) => change({ weight: address.join() === controls.settings.weight.join() ? [] : address }),
        settings: (layer) => this.openLayer(layer === this.layer ? null : layer),
      },
    });
    const cards = [this.settingsCard(), this.dataCard(), this.networkCard(live), this.resultCard(), this.moreCards()];
    root.replaceChildren(h("div", { class: "playground" }, cards));
    onThemeChange(() => this.paint());
  }

  // the four cards

  settingsCard() {
    const { controls } = this;
    return h("section", { class: "card settings" },
      controls.radios("problem"), controls.select("activation"), controls.select("norm"), controls.select("dropout"),
      controls.select("solver"), controls.select("learningRate"), controls.select("batchSize"), controls.select("alpha"));
  }

  moreCards() {
    const { words, controls, change, live } = this;
    this.seeds = new SeedsCard({ words, controls });
    this.update = new UpdateCard({ words, change, live });
    this.rival = new RivalCard({ words, controls, half: HALF, ticks: TICKS });
    return h("div", { class: "more" }, [this.seeds, this.update, this.rival].map(({ element }) => element));
  }

  dataCard() {
    const { controls, words } = this;
    this.thumbnails = {};
    const draw = (name) => (this.thumbnails[name] = h("canvas"));
    this.classSets = controls.radios("dataset", { draw, shape: "tiles" });
    this.valueSets = controls.radios("regDataset", { draw, shape: "tiles" });
    this.noise = controls.slider("noise", { unit: "%" });
    return h("section", { class: "card data" }, h("div", { class: "head" }, h("h2", {}, words.data)),
      this.classSets, this.valueSets, this.ownTools(),
      this.noise, controls.slider("percTrainData", { unit: "%" }),
      controls.seed("seed"), h("p", { class: "note" }, words.restarts));
  }

  /** What sets points by hand or from a file, shown with one's own data. */
  ownTools() {
    const { controls, words, live } = this;
    const file = h("input", {
      type: "file", accept: ".csv,.tsv,.txt,text/csv", class: "hidden-file", tabindex: -1, testid: "csv",
      "aria-label": words.openCsv, disabled: !live, onchange: () => this.open(file),
    });
    const button = { type: "button", class: "quiet edged", testid: "open-csv", disabled: !live, onclick: () => file.click() };
    this.own = h("div", { class: "own" }, controls.radios("newPoint", { shape: "stacked" }),
      h("div", {}, h("button", button, words.openCsv), file), h("p", { class: "note" }, words.ownNote));
    return this.own;
  }

  async open(input) {
    const [file] = input.files;
    input.value = "";
    if (file) await this.upload("csv", file, { problem: "classification", dataset: "own", points: [] });
  }

  /** Set a point of one's own, or take away the one that was hit. */
  pick([x1, x2]) {
    const { settings } = this.controls;
    if (!this.live || settings.problem !== "classification" || settings.dataset !== "own") return;
    const points = [...settings.points];
    if (settings.newPoint === "erase") {
      const distances = [];
      for (let i = 0; i < points.length; i += 3) distances.push(Math.hypot(points[i] - x1, points[i + 1] - x2));
      const nearest = distances.indexOf(Math.min(...distances));
      if (!(distances[nearest] < ERASED_WITHIN)) return;
      points.splice(3 * nearest, 3);
    } else {
      if (points.length >= 3 * this.mostPoints) return this.say(this.words.enoughPoints(this.mostPoints));
      points.push(+x1.toFixed(2), +x2.toFixed(2), settings.newPoint === "positive" ? 1 : 0);
    }
    this.change({ points });
  }

  networkCard(live) {
    const { words } = this;
    const mini = (text, name, testid, onclick) => h("button", {
      type: "button", class: "mini", "aria-label": name, title: name, testid, onclick, disabled: !live,
    }, text);
    const resize = (change) => () => this.reshape(change(this.controls.settings.networkShape));
    this.removeLayer = mini("\u2212", words.removeLayer, "layers-remove", resize((shape) => shape.slice(0, -1)));
    this.addLayer = mini("+", words.addLayer, "layers-add", resize((shape) => [...shape, NEW_LAYER_UNITS]));
    this.layerCount = h("span", { testid: "layers" });
    this.inspector = h("div", { class: "inspector", testid: "inspector", hidden: true });
    const layers = h("div", { class: "row" }, this.removeLayer, this.layerCount, this.addLayer);
    const key = (look, text) => h("span", {}, h("i", { class: look }), text);
    return h("section", { class: "card diagram" },
      h("div", { class: "head" }, h("h2", {}, words.network), layers),
      this.diagram.element, this.inspector, this.layerCard(),
      h("div", { class: "legend" }, key("line", words.positive), key("line minus", words.negative),
        h("span", {}, words.widthNote), key("box", words.biasMark)));
  }

  /** What one layer has of its own, shown when it is asked for. */
  layerCard() {
    const where = () => [(this.layer ?? 1) - 1, this.controls.settings.networkShape.length];
    this.layerControls = LAYER_SETTINGS.map((name) => this.controls.entry(name, where));
    this.layerTitle = h("strong", { testid: "layer-title" });
    return (this.layerPanel = h("div", { class: "layer-settings", hidden: true }, this.layerTitle, this.layerControls));
  }

  openLayer(layer) {
    this.layer = layer;
    this.layerPanel.hidden = layer === null;
    if (layer !== null) write(this.layerTitle, this.words.layer(layer));
    for (const control of this.layerControls) control.show();
    this.diagram.choose(this.now.settings.weight, layer);
  }

  /** Change the layers; what a layer has of its own goes with it. */
  reshape(networkShape) {
    const cut = LAYER_SETTINGS.map((name) => [name, this.controls.settings[name].slice(0, networkShape.length)]);
    this.change({ networkShape, ...Object.fromEntries(cut) });
  }

  resultCard() {
    const { words, controls } = this;
    this.mapTitle = h("h2", { testid: "map-title" });
    const showOutput = () => this.change({ look: [] });
    const back = { type: "button", class: "quiet", testid: "show-output", onclick: showOutput };
    this.back = h("button", back, words.showOutput);
    this.plane = new Plane({
      half: HALF, ticks: TICKS, names: ["x\u2081", "x\u2082"], label: words.map, onprobe: (point) => this.probe(point),
      onpick: (point) => this.pick(point),
    });
    this.scale = h("canvas");
    this.scaleEnds = [h("span"), h("span")];
    this.scaleName = h("span", { class: "caption", testid: "probe", role: "status" });
    this.chart = new StepChart({
      xLabel: words.stepAxis, yLabel: words.crossEntropy, names: ["train", "test"], testid: "curves",
    });
    this.chart.element.setAttribute("aria-label", words.curves);
    return h("section", { class: "card result" }, this.numbers(), this.chart.element,
      h("div", { class: "head" }, this.mapTitle, this.back),
      this.plane.element,
      h("div", { class: "scale" }, this.scaleEnds[0], this.scale, this.scaleEnds[1], this.scaleName),
      h("div", { class: "legend spread" }, h("span", {}, h("i", { class: "dot" }), words.trainPoint),
        controls.toggle("showTestData", h("i", { class: "dot test" })), controls.toggle("discretize")));
  }

  numbers() {
    const { words } = this;
    this.trainLoss = readout(words.trainLoss, "train-loss", "train");
    this.testLoss = readout(words.testLoss, "test-loss", "test");
    this.testError = readout(words.testError, "test-error");
    return h("div", { class: "numbers" }, this.trainLoss, this.testLoss, this.testError);
  }

  // drawing

  /** Draw the moment `now`; `isNew` when settings or data may have changed. */
  show(now, isNew) {
    this.now = now;
    if (isNew) this.showSettings();
    const { frame, arrays, time } = now;
    write(this.trainLoss.output, lossText(frame.trainLoss));
    write(this.testLoss.output, lossText(frame.testLoss));
    if (frame.testError !== null) write(this.testError.output, `${(100 * frame.testError).toFixed(1)}%`);
    this.chart.draw(arrays.curve, time.step, time.last);
    this.plane.showMap(arrays.map, this.mapColours);
    const selected = this.diagram.find(now.settings.look);
    this.diagram.show(arrays, this.colours, selected);
    if (selected) this.inspect(selected, now.settings.look);
    this.seeds.show(now);
    this.update.show(now, (address) => this.nameOf(address));
    if (this.probed) this.probe(this.probed);
  }

  showSettings() {
    const { settings, scene } = this.now;
    const { words } = this;
    const isRegression = settings.problem === "regression";
    this.classSets.hidden = isRegression;
    this.valueSets.hidden = !isRegression;
    this.own.hidden = isRegression || settings.dataset !== "own";
    this.noise.hidden = !this.own.hidden;
    this.testError.hidden = isRegression;
    this.chart.yLabel = isRegression ? words.squaredError : words.crossEntropy;
    const shape = settings.networkShape;
    write(this.layerCount, words.hiddenLayers(shape.length));
    this.removeLayer.disabled = !this.live || shape.length === 0;
    this.addLayer.disabled = !this.live || shape.length >= this.mostLayers;
    const inputs = scene.inputs.map((name) => ({ name, label: words.inputNames[name], on: settings[name] }));
    const key = JSON.stringify([inputs, shape]);
    if (key !== this.networkKey) this.diagram.build({ inputs, sizes: [...shape, 1] });
    this.networkKey = key;
    this.openLayer(this.layer && this.layer <= shape.length ? this.layer : null);
    this.rival.show(this.now);
    this.showLook(settings, isRegression);
    this.paint();
  }

  showLook({ look }, isRegression) {
    const { words } = this;
    const unit = this.diagram.find(look);
    this.inspector.hidden = this.back.hidden = !unit;
    write(this.mapTitle, unit ? unit.name : words.output);
    const [low, high, name] = unit || isRegression
      ? ["\u22121", "1", unit ? words.activationScale : words.value]
      : ["0", "1", words.probability];
    write(this.scaleEnds[0], low);
    write(this.scaleEnds[1], high);
    this.scaleWord = name;
    if (!this.probed) write(this.scaleName, name);
  }

  /** Draw all that depends on the theme's colours but not on time. */
  paint() {
    if (!this.now) return;
    const { arrays, settings, scene } = this.now;
    const theme = themeColours(this.root);
    this.colours = colourMap(theme);
    this.mapColours = colourMap(theme, { strength: MAP_STRENGTH, isTwofold: settings.discretize });
    this.diagram.showInputs(arrays.inputs, this.colours);
    drawScale(this.scale, this.mapColours);
    const groups = [{ rows: arrays.trainPoints.data }];
    if (settings.showTestData || !this.own.hidden) groups.push({ rows: arrays.testPoints.data, isHollow: true });
    const edge = cssOf(theme["point-edge"]);
    this.plane.showPoints(groups, this.colours, edge);
    this.rival.paint(groups, { colours: this.colours, mapColours: this.mapColours, edge });
    for (const [name, canvas] of Object.entries(this.thumbnails)) {
      const [start, stop] = scene.thumbnails[name] ?? [0, 0];
      drawThumbnail(canvas, arrays.thumbnails.data.subarray(3 * start, 3 * stop), HALF, this.colours);
    }
    this.plane.showMap(arrays.map, this.mapColours);
    this.diagram.show(arrays, this.colours, this.diagram.find(settings.look));
  }

  isShown([layer, unit]) {
    const [shownLayer, shownUnit] = this.now.settings.look;
    return layer === shownLayer && unit === shownUnit;
  }

  /** Write the selected unit's bias and weights; each opens its next update. */
  inspect(unit, [layer, number]) {
    const { words } = this;
    const bias = this.now.arrays.biases.data[this.diagram.units.flat().indexOf(unit)];
    const weights = this.diagram.into(unit).map(({ address, from, weight }) => [`${words.from} ${from.short}`, weight, address]);
    const rows = [[words.bias, bias, [layer, 0, number]], ...weights];
    const chosen = this.now.settings.weight.join();
    const key = unit.name + chosen + rows.map(([name, value]) => `${name}${decimal(value)}`).join();
    if (key === this.inspectorKey) return;
    this.inspectorKey = key;
    const weightButton = ([name, value, address]) => h("button", {
      type: "button", class: "quiet tiny", testid: `weight-${address[1]}`, "aria-pressed": address.join() === chosen,
      disabled: !this.live, onclick: () => this.diagram.actions.weight(...address),
    }, h("span", {}, `${name} `), decimal(value));
    const focused = document.activeElement?.dataset.testid;
    this.inspector.replaceChildren(h("strong", {}, unit.name), ...rows.map(weightButton));
    if (focused?.startsWith("weight-")) this.inspector.querySelector(`[data-testid=${focused}]`)?.focus();
  }

  nameOf(address) {
    const [from, to] = this.diagram.ends(address);
    return from ? this.words.weightName(from.name, to.name) : this.words.biasName(to?.name ?? "");
  }

  // the probe

  /** Ask Python for the value at a point; while it answers, only the newest wish is kept. */
  async probe(point) {
    this.probed = point;
    if (!point) return write(this.scaleName, this.scaleWord);
    if (this.isProbing) return;
    this.isProbing = true;
    const { answer } = await this.ask("probe", { x1: point[0], x2: point[1] });
    this.isProbing = false;
    if (!answer || !this.probed) return;
    const [x1, x2] = point.map((value) => decimal(value));
    write(this.scaleName, this.words.probe(x1, x2, this.scaleWord, decimal(answer.value, 3)));
    if (this.probed !== point) this.probe(this.probed);
  }
}

function cssOf([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}
