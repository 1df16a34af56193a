// Attention: lines between words, and a grid of all layers and heads to choose from.

import { h, s } from "./dom.js";
import { drawHeatmap } from "./heatmap.js";

const ROW_HEIGHT = 1.75; // of the font size
const SIDES = [0.34, 0.6]; // where the words on the left end, and those on the right begin
const FAINT = 0.03; // a weight below is not drawn

/** Words on the left that look at words on the right; `onpick(i)` is called when the visitor chooses word `i`. */
export class AttentionLines {
  constructor({ label, wordLabel, testid, onpick, live }) {
    Object.assign(this, { wordLabel, testid, onpick, live, hovered: null });
    this.lines = s("g");
    this.left = s("g");
    this.right = s("g");
    this.svg = s("svg", { role: "group", "aria-label": label }, this.lines, this.right, this.left);
    this.element = h("div", { class: "attention", testid }, this.svg);
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Draw `weights` (queries x keys); `word` is the chosen query from 1 on, 0 for all. */
  show({ queries, keys, weights, word }) {
    Object.assign(this, { queries, keys, weights, word });
    this.draw();
  }

  draw() {
    const width = this.element.clientWidth;
    if (!this.queries || !width) return;
    const em = parseFloat(getComputedStyle(this.element).fontSize);
    const rows = Math.max(this.queries.length, this.keys.length);
    const height = rows * ROW_HEIGHT * em;
    Object.assign(this, { em, width, ends: SIDES.map((share) => share * width) });
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    Object.assign(this.svg.style, { width: `${width}px`, height: `${height}px` });
    this.drawQueries();
    this.look();
  }

  y(i) {
    return (i + 0.5) * ROW_HEIGHT * this.em;
  }

  /** Make the words that can be chosen; those there are stay, so that the focus is not lost. */
  drawQueries() {
    const { queries, em, ends: [end] } = this;
    while (this.left.children.length > queries.length) this.left.lastChild.remove();
    while (this.left.children.length < queries.length) this.left.append(this.query(this.left.children.length));
    queries.forEach((text, i) => {
      const [box, label] = this.left.children[i].children;
      const size = { x: 0, y: this.y(i) - 0.8 * em, width: end, height: 1.6 * em };
      for (const [name, value] of Object.entries(size)) box.setAttribute(name, value);
      label.setAttribute("x", end - 0.5 * em);
      label.setAttribute("y", this.y(i) + 0.35 * em);
      label.textContent = text;
      this.left.children[i].setAttribute("aria-label", this.wordLabel(text));
    });
  }

  query(i) {
    const point = (place) => () => {
      this.hovered = place;
      this.look();
    };
    const pick = () => this.live && this.onpick(i);
    return s("g", {
      class: "attention-word", role: "button", tabindex: 0, testid: `${this.testid}-query-${i}`,
      onpointerenter: point(i), onpointerleave: point(null), onfocus: point(i), onblur: point(null), onclick: pick,
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        pick();
      },
    }, s("rect", { rx: 4 }), s("text", { "text-anchor": "end" }));
  }

  /** Draw the lines of the word that is pointed at, of the chosen one, or of all. */
  look() {
    const chosen = this.hovered ?? this.word - 1;
    const from = chosen >= 0 && chosen < this.queries.length ? chosen : null;
    [...this.left.children].forEach((word, i) => {
      word.classList.toggle("looks", i === from);
      word.setAttribute("aria-pressed", i === this.word - 1);
    });
    const all = from === null ? this.queries.map((_, i) => i) : [from];
    this.lines.replaceChildren(...all.flatMap((i) => this.linesFrom(i)));
    this.right.replaceChildren(...this.keys.flatMap((text, k) => this.key(text, k, from)));
  }

  linesFrom(i) {
    const { keys, weights, em, ends: [end, start] } = this;
    return keys.flatMap((_, k) => {
      const weight = weights[i * keys.length + k];
      if (weight < FAINT) return [];
      const [x0, x1] = [end, start];
      const bend = (x1 - x0) / 2;
      const d = `M${x0} ${this.y(i)}C${x0 + bend} ${this.y(i)} ${x1 - bend} ${this.y(k)} ${x1} ${this.y(k)}`;
      return [s("path", { class: "attention-line", d, "stroke-width": 0.35 * em * weight + 0.5, opacity: Math.min(1, 0.1 + weight) })];
    });
  }

  key(text, k, from) {
    const { keys, weights, em, width, ends: [, start] } = this;
    const y = this.y(k);
    const label = s("text", { x: start + 0.5 * em, y: y + 0.35 * em }, text);
    if (from === null) return [label];
    const weight = weights[from * keys.length + k];
    const bar = s("rect", { class: "attention-bar", x: start, y: y - 0.75 * em, width: weight * (width - start), height: 1.5 * em, rx: 3 });
    const share = s("text", {
      class: "attention-share", x: width - 0.25 * em, y: y + 0.35 * em, "text-anchor": "end", testid: `${this.testid}-key-${k}`,
    }, percent(weight));
    return [bar, label, share];
  }
}

/** All layers (rows) and heads (columns, the mean first), as buttons; `onpick(layer, head)` counts from 1, 0 is the mean. */
export class HeadGrid {
  constructor({ words, testid, onpick, live }) {
    Object.assign(this, { words, testid, onpick, live });
    this.element = h("div", { class: "heads", testid });
  }

  /** Show what there is; `maps` is uint8 (layers, heads, queries, keys), or null for plain buttons. */
  show({ layers, heads, layer, head, maps = null, map = null }) {
    if (this.key !== `${layers} ${heads}`) this.build(layers, heads);
    for (const button of this.buttons) {
      const { layer: l, head: k } = button.place;
      button.setAttribute("aria-pressed", l === layer && k === head);
      if (maps) drawMap(button.firstChild, maps, l - 1, k - 1, map);
      button.firstChild.hidden = !maps;
    }
  }

  build(layers, heads) {
    const { words } = this;
    this.key = `${layers} ${heads}`;
    this.element.style.setProperty("--heads", heads + 1);
    const columns = Array.from({ length: heads + 1 }, (_, head) => h("span", {}, head ? words.headName(head) : words.mean));
    this.buttons = [];
    const rows = Array.from({ length: layers }, (_, i) => [h("span", {}, words.layerName(i + 1)), ...columns.map((_, head) => {
      const name = words.headLabel(i + 1, head);
      const button = h("button", {
        type: "button", "aria-label": name, title: name, testid: `${this.testid}-${i + 1}-${head}`, disabled: !this.live,
        onclick: () => this.onpick(i + 1, head),
      }, h("canvas"));
      button.place = { layer: i + 1, head };
      this.buttons.push(button);
      return button;
    })]);
    this.element.replaceChildren(h("span"), ...columns, ...rows.flat());
  }
}

/** Draw one head, or the mean of a layer's heads (`head` -1), into a canvas. */
function drawMap(canvas, { shape: [, heads, height, width], data }, layer, head, map) {
  const size = height * width;
  const at = (k) => data.subarray((layer * heads + k) * size, (layer * heads + k + 1) * size);
  const mean = () => Uint8Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < heads; k++) sum += data[(layer * heads + k) * size + i];
    return Math.round(sum / heads);
  });
  drawHeatmap(canvas, head < 0 ? mean() : at(head), height, width, map);
}

/** A list of words with bars: what could come next, and how probable it is. */
export class ChanceList {
  constructor({ label, testid }) {
    this.testid = testid;
    this.element = h("div", { class: "chances", role: "group", "aria-label": label, testid });
  }

  /** Show rows [word, probability]; `chosen` is the word that was taken. */
  show(rows, chosen = null) {
    this.element.replaceChildren(...rows.map(([word, probability], i) => {
      const bar = h("i");
      bar.style.transform = `scaleX(${probability})`;
      return h("div", { class: word === chosen ? "best" : null }, h("span", { testid: `${this.testid}-word-${i}` }, word), bar,
        h("span", { testid: `${this.testid}-${i}` }, percent(probability)));
    }));
  }
}

function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}
