// The perceptron: by the rule, by hand, and the figures of 1969. It draws what Python computed.

import { h, s, write } from "../static/dom.js";
import { Graph, nearestRow } from "../static/graph.js";
import { decimal } from "../static/numbers.js";
import { readout } from "../static/readout.js";

const GATE_RANGE = [-1, 2, -1, 2];
const WEIGHT_LOOKS = ["first", "second", "third"];
const GRIP = 1.5; // how far from its middle the line's other handle sits
const LINES = { bad: [1, -0.5, 0], okay: [1, -0.2, -0.1], good: [1, 1, 0] };

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new PerceptronView(root, context);
}

class PerceptronView {
  constructor(root, { words, controls, change, ask, seek, live = true }) {
    Object.assign(this, { words, controls, change, ask, seek, live });
    const plane = h("section", { class: "card main" },
      h("div", { class: "head" }, h("h2", { testid: "plane-title" }), controls.radios("newPoint")), this.planeParts());
    this.planeCard = plane;
    this.figureCard = this.figureParts();
    this.rule = this.ruleCard();
    this.hand = this.handCard();
    this.orders = h("section", { class: "card side" });
    root.replaceChildren(h("div", { class: "bench" }, this.settingsCard(), plane, this.figureCard,
      this.rule, this.hand, this.orders));
  }

  // the cards

  settingsCard() {
    const { controls, words } = this;
    this.ruleSettings = h("div", { class: "group" }, controls.select("variant"), controls.toggle("shuffle"),
      controls.seed("seed"));
    this.handSettings = h("div", { class: "group" }, controls.slider("weight1", { step: 0.05 }),
      controls.slider("weight2", { step: 0.05 }), controls.slider("bias", { step: 0.05 }), this.presets());
    this.dataSettings = h("div", { class: "group" }, controls.select("dataset"));
    this.note = h("p", { class: "note" });
    return h("section", { class: "card settings" }, controls.radios("mode", { shape: "stacked" }),
      this.dataSettings, this.ruleSettings, this.handSettings, this.note);
  }

  presets() {
    const button = ([name, [weight1, weight2, bias]]) => h("button", {
      type: "button", class: "quiet edged", testid: `line-${name}`, disabled: !this.live,
      onclick: () => this.change({ dataset: "lines", weight1, weight2, bias }),
    }, this.words.lines[name]);
    return h("div", { class: "row" }, Object.entries(LINES).map(button));
  }

  planeParts() {
    const { words } = this;
    const onpoint = this.live ? (x, y) => this.click(x, y) : null;
    this.plane = new Graph({
      xLabel: "x\u2081", yLabel: "x\u2082", label: words.plane, testid: "plane", isSquare: true, onpoint,
    });
    const grip = (name, ondrag) =>
      this.plane.handle({ label: words[name], testid: name, ondrag, isLocked: !this.live });
    this.moveGrip = grip("moveLine", (x, y) => this.drag({ through: [x, y] }));
    this.turnGrip = grip("turnLine", (x, y) => this.drag({ towards: [x, y] }));
    return this.plane.element;
  }

  ruleCard() {
    const { words, live } = this;
    this.mistakes = readout(words.mistakes, "mistakes");
    this.bound = readout(words.bound, "bound");
    this.wrong = readout(words.wrong, "wrong");
    this.line = h("p", { class: "formula", testid: "line" });
    this.last = h("p", { testid: "last", role: "status" });
    this.next = h("button", {
      type: "button", class: "quiet edged", testid: "next-mistake", disabled: !live, onclick: () => this.nextMistake(),
    }, words.nextMistake);
    this.certificate = h("p", { class: "callout", testid: "certificate", hidden: true });
    this.weights = new Graph({ xLabel: words.step, yLabel: words.weights, label: words.weightCurves, testid: "weights" });
    const key = words.weightNames.map((name, i) => h("span", {}, h("i", { class: `line ${WEIGHT_LOOKS[i]}` }), name));
    return h("section", { class: "card side" },
      h("div", { class: "numbers" }, this.mistakes, this.bound, this.wrong), this.line,
      h("div", { class: "head" }, h("h2", {}, words.lastSample), this.next), this.last, this.certificate,
      this.weights.element, h("div", { class: "legend" }, key));
  }

  handCard() {
    const { words, controls } = this;
    this.handWrong = readout(words.wrong, "hand-wrong");
    this.softLoss = readout(words.softLoss, "soft-loss");
    this.stairs = new Graph({ yLabel: words.zeroOne, label: words.staircase, testid: "staircase" });
    this.soft = new Graph({ yLabel: words.crossEntropy, label: words.softCurve, testid: "soft" });
    return h("section", { class: "card side" }, h("div", { class: "numbers" }, this.handWrong, this.softLoss),
      controls.radios("along"), this.stairs.element, this.soft.element, h("p", { class: "note" }, words.stairsNote));
  }

  figureParts() {
    const { words, controls, change } = this;
    this.boards = [0, 1].map((which) => s("svg", {
      class: "board", testid: `figure-${which + 1}`, role: "img", "aria-label": words.figure(which + 1),
    }));
    this.verdicts = [0, 1].map((which) => h("p", { class: "verdict", testid: `pieces-${which + 1}` }));
    const both = this.boards.map((board, i) => h("div", {}, board, this.verdicts[i]));
    this.restore = h("button", {
      type: "button", class: "quiet edged", testid: "restore", disabled: !this.live, onclick: () => change({ flipped: [] }),
    }, words.restore);
    return h("section", { class: "card main" },
      h("div", { class: "head" }, h("h2", {}, words.figuresTitle), h("div", { class: "row" }, controls.toggle("reveal"),
        this.restore)), h("p", { class: "note" }, words.figuresIntro), h("div", { class: "pair" }, both));
  }

  // drawing

  show(now, isNew) {
    this.now = now;
    const { mode } = now.settings;
    if (isNew) this.showMode(mode);
    if (mode === "figures") return this.showFigures();
    this.showPlane();
    if (mode === "rule") this.showRule();
    else this.showHand();
  }

  showMode(mode) {
    const isPlane = mode !== "figures";
    this.planeCard.hidden = this.dataSettings.hidden = !isPlane;
    this.figureCard.hidden = this.orders.hidden = isPlane;
    this.rule.hidden = this.ruleSettings.hidden = mode !== "rule";
    this.hand.hidden = this.handSettings.hidden = mode !== "hand";
    for (const grip of [this.moveGrip, this.turnGrip]) grip.element.style.display = mode === "hand" ? "" : "none";
    write(this.note, this.words.notes[mode]);
    if (mode === "figures") this.showOrders();
  }

  showPlane() {
    const { arrays, frame, scene } = this.now;
    const range = scene.half ? [-scene.half, scene.half, -scene.half, scene.half] : GATE_RANGE;
    const { data } = arrays.points;
    const isLearned = frame.weight.some((weight) => weight !== 0);
    const sides = isLearned ? [1, -1].map((sign) => ({
      kind: "line", look: `side ${sign > 0 ? "plus" : "minus"}`, isClosed: true, points: halfPlane(range, frame, sign),
    })) : [];
    const row = frame.last?.row;
    const visited = row === undefined ? [] : [{
      kind: "dots", look: `halo${frame.last.isMistake ? " error" : ""}`, radius: 0.8, points: data.slice(3 * row, 3 * row + 2),
    }];
    const look = (i) => `${data[3 * i + 2] ? "plus" : "minus"}${arrays.wrong.data[i] ? " wrong" : ""}`;
    const points = { kind: "dots", points: data, columns: 3, look, radius: 0.45 };
    write(this.planeCard.querySelector("h2"), this.words.wrongOf(frame.wrong, data.length / 3));
    this.plane.show({ range, marks: [...sides, ...this.hulls(), ...visited, points] });
  }

  /** The certificate's picture: the points of each class that carry weight, and where their means meet. */
  hulls() {
    const { arrays: { points, convex }, scene } = this.now;
    if (!scene.meeting) return [];
    const lines = [0, 1].map((side) => {
      const corners = [];
      convex.data.forEach((weight, i) => {
        if (weight > 1e-6 && points.data[3 * i + 2] === side) corners.push(points.data[3 * i], points.data[3 * i + 1]);
      });
      return { kind: "line", look: `hull ${side ? "plus" : "minus"}`, points: corners, isClosed: corners.length > 4 };
    });
    return [...lines, { kind: "dots", look: "meeting", radius: 0.45, points: scene.meeting }];
  }

  showRule() {
    const { frame, scene, arrays, settings, time } = this.now;
    const { words } = this;
    write(this.mistakes.output, String(frame.mistakes));
    write(this.bound.output, scene.bound === null ? "\u221e" : `\u2264 ${Math.floor(scene.bound + 1e-9)}`);
    write(this.wrong.output, String(frame.wrong));
    write(this.line, words.lineFormula(...frame.weight.map((value) => decimal(value)), decimal(frame.bias)));
    write(this.last, this.lastText(frame.last));
    this.next.disabled = !this.live || (scene.bound !== null && settings.variant === "plain" && frame.wrong === 0);
    this.certificate.hidden = !scene.meeting;
    if (scene.meeting) write(this.certificate, this.certificateText());
    this.showWeights(arrays.path, time);
  }

  lastText(last) {
    const { words, now } = this;
    if (!last) return words.noSample;
    const [x1, x2, label] = now.arrays.points.data.slice(3 * last.row, 3 * last.row + 3);
    const point = words.point(decimal(x1), decimal(x2), words.classes[label]);
    return last.isMistake ? words.corrected(point, decimal(last.z), label) : words.right(point, decimal(last.z));
  }

  certificateText() {
    const { words, now: { scene, arrays: { points, convex } } } = this;
    const sum = (side) => {
      const terms = [];
      convex.data.forEach((weight, i) => {
        const [x1, x2, label] = points.data.slice(3 * i, 3 * i + 3);
        if (weight > 1e-6 && label === side) terms.push(`${brief(weight)}\u00b7(${brief(x1)}, ${brief(x2)})`);
      });
      return terms.join(" + ");
    };
    const [first, second] = [sum(0), sum(1)];
    const meeting = scene.meeting.map(brief).join(", ");
    return words.certificate(first, second, meeting) + (scene.circle ? words.circle(...scene.circle) : "");
  }

  showWeights({ shape: [, columns], data }, { step, last }) {
    let [low, high] = [-1, 1];
    for (let i = 0; i < data.length; i++) if (i % columns) [low, high] = [Math.min(low, data[i]), Math.max(high, data[i])];
    const names = columns === 4 ? [0, 1, 2] : [0, 2];
    const lines = names.map((name, i) => (
      { kind: "line", look: WEIGHT_LOOKS[name], points: stairsOf(data, columns, i + 1), columns: 2 }));
    const end = Math.max(last, 4);
    const room = 0.06 * (high - low);
    const now = { kind: "line", look: "now", points: [step, low - room, step, high + room] };
    this.weights.show({ range: [0, end, low - room, high + room], marks: [now, ...lines] });
  }

  showHand() {
    const { frame, arrays: { stairs }, settings, } = this.now;
    const { words } = this;
    write(this.handWrong.output, String(frame.wrong));
    write(this.softLoss.output, frame.softLoss.toFixed(4));
    this.placeGrips();
    const here = settings[settings.along];
    const [low, high] = [stairs.data[0], stairs.data[stairs.data.length - 3]];
    const name = words.weightNames[["weight1", "weight2", "bias"].indexOf(settings.along)];
    let most = 0;
    for (let i = 2; i < stairs.data.length; i += 3) most = Math.max(most, stairs.data[i]);
    const draw = (graph, column, top, value, points) => {
      graph.xLabel = name;
      const curve = { kind: "line", look: "strong", points, columns: points === stairs.data ? 3 : 2, at: [0, column] };
      const now = { kind: "line", look: "now", points: [here, 0, here, top] };
      graph.show({ range: [low, high, 0, top], marks: [now, curve, { kind: "dots", look: "here", points: [here, value] }] });
    };
    draw(this.stairs, 1, frame.nPoints, frame.wrong, stairsOf(stairs.data, 3, 1));
    draw(this.soft, 2, 1.05 * most, frame.softLoss, stairs.data);
  }

  /** Put the handles on the line: one at its point nearest to the middle, one further along. */
  placeGrips() {
    const { frame: { weight: [w1, w2], bias }, scene } = this.now;
    const length = Math.hypot(w1, w2);
    this.foot = length > 0 ? [(-w1 * bias) / length ** 2, (-w2 * bias) / length ** 2] : [0, 0];
    const middle = scene.half ? this.foot : this.nearest([0.5, 0.5]);
    this.middle = middle;
    this.moveGrip.place(...middle);
    const along = length > 0 ? [-w2 / length, w1 / length] : [0, 1];
    this.turnGrip.place(middle[0] + GRIP * (scene.half ? 1 : 0.5) * along[0], middle[1] + GRIP * (scene.half ? 1 : 0.5) * along[1]);
  }

  nearest([x, y]) {
    const { weight: [w1, w2], bias } = this.now.frame;
    const square = w1 ** 2 + w2 ** 2;
    if (square === 0) return [x, y];
    const distance = (w1 * x + w2 * y + bias) / square;
    return [x - w1 * distance, y - w2 * distance];
  }

  showFigures() {
    const { frame, arrays: { figures: { shape: [, size], data } }, settings } = this.now;
    this.boards.forEach((board, which) => {
      board.setAttribute("viewBox", `0 0 ${size} ${size}`);
      const squares = [];
      for (let i = 0; i < size * size; i++) squares.push(this.square(which * size * size + i, i, size, data));
      board.replaceChildren(...squares);
      write(this.verdicts[which], settings.reveal ? this.words.pieces(frame.pieces[which]) : this.words.howMany);
    });
  }

  square(index, i, size, data) {
    const piece = data[index];
    const look = piece === 0 ? "paper" : this.now.settings.reveal ? `piece piece-${Math.min(piece, 3)}` : "piece";
    return s("rect", {
      class: look, x: i % size, y: Math.floor(i / size), width: 1, height: 1, testid: `square-${index}`,
      onclick: this.live ? () => this.flip(index) : null,
    });
  }

  showOrders() {
    const { words } = this;
    const rows = this.now.scene.orders.map(([rowCount, columnCount, order]) => h("tr", {},
      h("th", { scope: "row" }, `${rowCount} \u00d7 ${columnCount}`),
      h("td", { testid: `order-${rowCount}x${columnCount}` }, String(order)), h("td", {}, String(rowCount * columnCount))));
    const head = h("tr", {}, words.orderHeads.map((head) => h("th", { scope: "col" }, head)));
    this.orders.replaceChildren(h("h2", {}, words.ordersTitle), h("p", { class: "note" }, words.ordersIntro),
      h("table", {}, h("thead", {}, head), h("tbody", {}, rows)), h("p", { class: "note" }, words.winter));
  }

  // the visitor's hand

  click(x, y) {
    const { newPoint, mode } = this.controls.settings;
    const rows = this.controls.ownRows(this.now.arrays.points, 2);
    if (newPoint === "erase") rows.splice(nearestRow(rows, 3, x, y), 3);
    else rows.push(+x.toFixed(2), +y.toFixed(2), newPoint === "second" ? 1 : 0);
    this.change({ mode, dataset: "own", points: rows });
  }

  flip(index) {
    const { flipped } = this.controls.settings;
    this.change({ flipped: flipped.includes(index) ? flipped.filter((other) => other !== index) : [...flipped, index] });
  }

  /** Move the line through a point, or turn it around its middle towards one. */
  drag({ through, towards }) {
    const { weight1, weight2 } = this.controls.settings;
    if (through) return this.change({ bias: within(-weight1 * through[0] - weight2 * through[1], 3) });
    const [dx, dy] = [towards[0] - this.middle[0], towards[1] - this.middle[1]];
    const distance = Math.hypot(dx, dy);
    if (distance < 1e-6) return undefined;
    const length = Math.min(2, Math.hypot(weight1, weight2) || 1);
    const [w1, w2] = [within((length * dy) / distance, 2), within((-length * dx) / distance, 2)];
    return this.change({ weight1: w1, weight2: w2, bias: within(-w1 * this.middle[0] - w2 * this.middle[1], 3) });
  }

  async nextMistake() {
    const { answer } = await this.ask("nextMistake", {});
    if (!answer) return;
    if (answer.step === null) write(this.last, this.words.noMistakeLeft);
    else this.seek(answer.step);
  }
}

/** A number with at most two decimals. */
function brief(value) {
  return String(+value.toFixed(2)).replace("-", "\u2212");
}

/** Round to two decimals within a bound. */
function within(value, bound) {
  return +Math.max(-bound, Math.min(bound, value)).toFixed(2);
}

/** Turn column `k` of rows into a staircase of x, y. */
function stairsOf(data, columns, k) {
  const points = [];
  for (let i = 0; i < data.length; i += columns) {
    if (i) points.push(data[i], points[points.length - 1]);
    points.push(data[i], data[i + k]);
  }
  return points;
}

/** The part of a rectangle where sign (w . x + bias) is positive: corners x, y, x, y, ... */
function halfPlane([x0, x1, y0, y1], { weight: [w1, w2], bias }, sign) {
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  const height = ([x, y]) => sign * (w1 * x + w2 * y + bias);
  return corners.flatMap((corner, i) => {
    const next = corners[(i + 1) % 4];
    const [here, there] = [height(corner), height(next)];
    const kept = here >= 0 ? [...corner] : [];
    if (here >= 0 === there >= 0) return kept;
    const share = here / (here - there);
    return [...kept, corner[0] + share * (next[0] - corner[0]), corner[1] + share * (next[1] - corner[1])];
  });
}
