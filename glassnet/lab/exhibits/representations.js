// Representations: the same pictures in every layer, flown through. It draws what Python computed.

import { onThemeChange } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { Graph } from "../static/graph.js";
import { sharpCanvas } from "../static/heatmap.js";
import { decimal } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const POLL = 250; // milliseconds
const ROOM = 1.08; // around the outermost point
const MARK_RADIUS = 0.0085; // of a mark, share of the map's width
const THUMBNAIL = 0.034; // of a small picture
// marks of the classes: corners, turn in eighths; a cross has 0 corners, a disc none
const SHAPES = [[null, 0], [4, 1], [3, 0], [4, 0], [3, 4], [0, 0], [0, 1], [5, 0], [3, 6], [3, 2]];

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new RepresentationsView(root, context);
}

class RepresentationsView {
  constructor(root, { words, controls, change, ask, seek, live = true }) {
    Object.assign(this, { root, words, controls, change, ask, seek, live });
    root.replaceChildren(h("div", { class: "bench" }, this.settingsCard(), this.mapCard(), this.sideCard()));
    onThemeChange(() => this.now && this.show(this.now, true));
    new ResizeObserver(() => this.drawMap()).observe(this.flight);
  }

  settingsCard() {
    const { words, controls } = this;
    this.source = h("p", { class: "note", testid: "source" });
    return h("section", { class: "card settings" }, controls.radios("network", { shape: "stacked" }),
      controls.radios("classes", { shape: "stacked" }), controls.radios("marks", { shape: "stacked" }),
      controls.select("nSamples"), controls.seed("seed"), this.source, h("p", { class: "note" }, words.note));
  }

  mapCard() {
    const { words } = this;
    this.title = h("h2", { testid: "where" });
    this.stops = h("div", { class: "stops", role: "group", "aria-label": words.layer });
    this.map = h("canvas", {
      role: "img", "aria-label": words.mapLabel, testid: "map",
      onclick: (event) => this.live && this.change({ point: this.nearest(event) + 1 }),
      onpointermove: (event) => this.pointAt(event),
    });
    this.progress = h("progress", { max: 1, value: 0, "aria-label": words.waiting, testid: "progress" });
    this.waiting = h("div", { class: "waiting", role: "status" }, words.waiting, this.progress);
    this.flight = h("div", { class: "flight" }, this.map, this.waiting);
    this.legend = h("div", { class: "marks", testid: "legend" });
    return h("section", { class: "card main" }, h("div", { class: "head" }, this.title, this.stops), this.flight, this.legend);
  }

  sideCard() {
    const { words, controls } = this;
    this.separation = readout(words.separation, "separation", "train");
    this.trust = readout(words.trustworthiness, "trustworthiness", "test");
    const name = (value) => (Number.isInteger(value) ? words.shortName(this.now?.frame.layers?.[value] ?? "") : "");
    this.curves = new Graph({ xLabel: words.layer, label: words.curvesLabel, testid: "curves", xTick: name });
    this.picture = h("canvas", { testid: "picture" });
    this.looked = h("h2", { testid: "looked" });
    this.answer = h("p", { testid: "answer" });
    this.place = h("p", { class: "note", testid: "place" });
    this.near = h("div", { class: "near", testid: "near" });
    this.nearTitle = h("h2", {});
    this.alike = h("p", { class: "note", testid: "alike" });
    return h("section", { class: "card side" }, h("div", { class: "numbers" }, this.separation, this.trust), this.curves.element,
      h("div", { class: "looked" }, this.picture, h("div", { class: "group" }, this.looked, this.answer, this.place)),
      controls.slider("point"), this.nearTitle, this.near, this.alike);
  }

  // drawing

  show(now, isNew) {
    this.now = now;
    const { frame, scene } = now;
    const isReady = frame.isReady && scene.n > 0;
    this.waiting.hidden = isReady;
    this.progress.value = frame.share;
    if (!isReady) return this.poll();
    if (isNew || this.drawn !== scene) this.showScene();
    this.showWhere();
    this.showPoint();
    this.drawMap();
  }

  /** Ask how far the background is, until all is there; then ask for it. */
  async poll() {
    if (this.isPolling || !this.live) return;
    this.isPolling = true;
    for (let isReady = false; !isReady && this.root.isConnected;) {
      await new Promise((done) => setTimeout(done, POLL));
      const { answer } = await this.ask("progress", {});
      if (answer) this.progress.value = answer.share;
      isReady = answer?.isReady ?? false;
    }
    this.isPolling = false;
    if (this.root.isConnected) this.change({ point: this.now.settings.point });
  }

  showScene() {
    const { words, live } = this;
    const { scene, arrays: { places: { shape, data } }, frame, settings } = this.now;
    this.drawn = scene;
    this.colours = classColours(this.root);
    this.kinds = (settings.classes === "coarse" ? this.now.arrays.members : this.now.arrays.labels).data;
    this.names = settings.classes === "coarse" ? scene.groups : scene.names;
    const size = shape[1] * 2;
    this.frames = frame.layers.map((_, k) => frameOf(data.subarray(k * size, (k + 1) * size)));
    this.thumbnails = settings.marks === "pictures" ? this.cutThumbnails() : null;
    write(this.source, words.source(scene.n, words.data[scene.data]) + (scene.isFallback ? ` ${words.fallback}` : ""));
    this.legend.replaceChildren(...this.names.map((name, kind) => h("span", {}, this.markOf(kind), name)));
    this.curves.xTicks = frame.layers.map((_, k) => k);
    this.stops.replaceChildren(...frame.layers.map((layer, k) => h("button", {
      type: "button", class: "quiet", testid: `stop-${k}`, "aria-label": words.goTo(layer), "aria-pressed": false,
      onclick: () => this.seek(k * this.now.scene.stepsPerLayer),
    }, layer)));
    this.near.replaceChildren(...frame.point.neighbours.map((_, k) => h("button", {
      type: "button", class: "quiet", testid: `near-${k}`, disabled: !live,
      onclick: () => this.change({ point: this.now.frame.point.neighbours[k].index }),
    }, h("canvas"), h("span", { testid: `near-label-${k}` }))));
  }

  markOf(kind) {
    const canvas = h("canvas", { width: 28, height: 28, "aria-hidden": "true" });
    drawMark(canvas.getContext("2d"), 14, 14, 10, kind, this.colours[kind]);
    return canvas;
  }

  /** Each small picture as a canvas: digits as ink of their class' colour, photographs as they are. */
  cutThumbnails() {
    const { shape: [n, height, width, channels = 1], data } = this.now.arrays.thumbnails;
    return Array.from({ length: n }, (_, i) => {
      const canvas = h("canvas", { width, height });
      const image = new ImageData(width, height);
      const ink = rgbOf(this.colours[this.kinds[i]]);
      for (let pixel = 0; pixel < height * width; pixel++) {
        const from = (i * height * width + pixel) * channels;
        const rgba = channels === 3 ? [data[from], data[from + 1], data[from + 2], 255] : [...ink, data[from]];
        image.data.set(rgba, 4 * pixel);
      }
      canvas.getContext("2d").putImageData(image, 0, 0);
      return canvas;
    });
  }

  showWhere() {
    const { words } = this;
    const { layers, at, on, separation, trustworthiness } = this.now.frame;
    write(this.title, on ? words.between(layers[at], layers[at + 1]) : words.at(layers[at]));
    write(this.separation.output, decimal(separation[at], 3));
    write(this.trust.output, decimal(trustworthiness[at], 3));
    [...this.stops.children].forEach((stop, k) => stop.setAttribute("aria-pressed", k === at && !on));
    const curve = (values, look) => [
      { kind: "line", look, points: values.flatMap((value, k) => [k, value]) },
      { kind: "dots", look, points: values.flatMap((value, k) => [k, value]), radius: 0.25 }];
    this.curves.show({ range: [-0.3, layers.length - 0.7, Math.min(0, ...separation) - 0.06, 1.04], marks: [
      { kind: "line", look: "now", points: [at + on, -1, at + on, 2] },
      ...curve(separation, "third"), ...curve(trustworthiness, "first")] });
  }

  showPoint() {
    const { words, now: { frame: { point, layers, at }, arrays: { picture, near } } } = this;
    write(this.looked, words.looked(point.index, point.label, point.group));
    write(this.answer, words.answer(point.answer, `${(100 * point.probability).toFixed(1)}%`));
    write(this.place, words.place(decimal(point.x), decimal(point.y)));
    write(this.nearTitle, words.nearest(layers[at]));
    write(this.alike, words.alike(point.neighbours.filter(({ label }) => label === point.label).length));
    paint(this.picture, picture.shape, picture.data);
    this.picture.setAttribute("role", "img");
    this.picture.setAttribute("aria-label", words.looked(point.index, point.label, point.group));
    const [, ...shape] = near.shape;
    const size = shape.reduce((a, b) => a * b, 1);
    point.neighbours.forEach(({ index, label }, k) => {
      const button = this.near.children[k];
      paint(button.firstChild, shape, near.data.subarray(k * size, (k + 1) * size));
      write(button.lastChild, label);
      button.setAttribute("aria-label", words.neighbour(index));
      button.classList.toggle("same", label === point.label);
    });
  }

  /** Where every picture is now, in pixels of the map. */
  spots(width) {
    const { frame: { at, on }, arrays: { places: { shape: [layers, n], data } } } = this.now;
    const next = Math.min(at + 1, layers - 1);
    const t = on * on * (3 - 2 * on);
    const between = (from, to) => from + t * (to - from);
    const [x0, y0, reach] = this.frames[at].map((value, k) => between(value, this.frames[next][k]));
    const along = (i) => between(data[at * 2 * n + i], data[next * 2 * n + i]);
    return Array.from({ length: n }, (_, i) => [
      (0.5 + (along(2 * i) - x0) / (2 * reach)) * width, (0.5 - (along(2 * i + 1) - y0) / (2 * reach)) * width]);
  }

  drawMap() {
    if (!this.drawn || !this.map.clientWidth || !this.now.frame.isReady) return;
    const { context, width } = sharpCanvas(this.map);
    const { point } = this.now.frame;
    const spots = this.spots(width);
    this.shown = spots;
    context.clearRect(0, 0, width, width);
    spots.forEach(([x, y], i) => this.drawOne(context, x, y, i, width));
    const ink = getComputedStyle(this.map).color;
    context.strokeStyle = ink;
    for (const { index } of point.neighbours) ring(context, spots[index - 1], 1.9 * MARK_RADIUS * width, 1);
    const [x, y] = spots[point.index - 1];
    this.drawOne(context, x, y, point.index - 1, width * 1.4);
    context.strokeStyle = ink;
    ring(context, [x, y], 2.6 * MARK_RADIUS * width, 2.5);
  }

  drawOne(context, x, y, i, width) {
    if (!this.thumbnails) return drawMark(context, x, y, MARK_RADIUS * width, this.kinds[i], this.colours[this.kinds[i]]);
    const side = THUMBNAIL * width;
    context.drawImage(this.thumbnails[i], x - side / 2, y - side / 2, side, side);
    if (this.now.scene.isGrey) return; // its ink has the class' colour
    context.lineWidth = 2;
    context.strokeStyle = this.colours[this.kinds[i]];
    context.strokeRect(x - side / 2, y - side / 2, side, side);
  }

  nearest(event) {
    const box = this.map.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const distances = this.shown.map((spot) => Math.hypot(spot[0] - x, spot[1] - y));
    return distances.indexOf(Math.min(...distances));
  }

  pointAt(event) {
    if (!this.shown) return;
    const name = this.names[this.kinds[this.nearest(event)]];
    if (this.map.title !== name) this.map.title = name;
  }
}

/** The middle of some points, and how far a square around it has to reach: [x, y, reach]. */
function frameOf(points) {
  const ends = [0, 1].map((k) => {
    const values = points.filter((_, i) => i % 2 === k);
    return [Math.min(...values), Math.max(...values)];
  });
  const reach = Math.max(...ends.map(([low, high]) => (high - low) / 2));
  return [...ends.map(([low, high]) => (low + high) / 2), ROOM * reach];
}

function ring(context, [x, y], radius, width) {
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

/** Draw the mark of a class. */
function drawMark(context, x, y, radius, kind, colour) {
  const [corners, turn] = SHAPES[kind % SHAPES.length];
  context.fillStyle = colour;
  context.beginPath();
  if (corners === null) context.arc(x, y, 0.9 * radius, 0, 2 * Math.PI);
  else {
    const path = corners ? polygon(corners) : CROSS;
    path.forEach(([dx, dy], i) => {
      const [sin, cos] = [Math.sin((turn * Math.PI) / 4), Math.cos((turn * Math.PI) / 4)];
      const to = [x + 1.1 * radius * (dx * cos - dy * sin), y + 1.1 * radius * (dx * sin + dy * cos)];
      if (i) context.lineTo(...to);
      else context.moveTo(...to);
    });
  }
  context.closePath();
  context.fill();
}

const ARM = 0.36;
const CROSS = [[-ARM, -1], [ARM, -1], [ARM, -ARM], [1, -ARM], [1, ARM], [ARM, ARM], [ARM, 1], [-ARM, 1], [-ARM, ARM], [-1, ARM],
  [-1, -ARM], [-ARM, -ARM]];

function polygon(corners) {
  return Array.from({ length: corners }, (_, i) => [Math.sin((2 * Math.PI * i) / corners), -Math.cos((2 * Math.PI * i) / corners)]);
}

/** Paint a grey or coloured picture of uint8 into a canvas. */
function paint(canvas, [height, width, channels = 1], data) {
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const at = (k) => data[pixel * channels + Math.min(k, channels - 1)];
    image.data.set([at(0), at(1), at(2), 255], 4 * pixel);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The colours of the ten classes, as the theme has them. */
function classColours(root) {
  const probe = h("i");
  root.append(probe);
  const colours = Array.from({ length: 10 }, (_, kind) => {
    probe.style.color = `var(--class-${kind})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return colours;
}

function rgbOf(colour) {
  return colour.match(/[\d.]+/g).slice(0, 3).map(Number);
}
