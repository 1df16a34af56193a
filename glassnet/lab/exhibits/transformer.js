// The Transformer: a translation and its attention, what "it" looks at, a text that grows. It draws what Python computed.

import { AttentionLines, ChanceList, HeadGrid } from "../static/attention.js";
import { colourMap, onThemeChange, themeColours } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { readout } from "../static/readout.js";

const ROOMS = ["translate", "pronouns", "write"];

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new TransformerView(root, context);
}

class TransformerView {
  constructor(root, { words, controls, change, live = true }) {
    Object.assign(this, { root, words, controls, change, live });
    this.rooms = { translate: this.translateCards(), pronouns: this.pronounCards(), write: this.writeCards() };
    const settings = Object.fromEntries(ROOMS.map((room) => [room, this.rooms[room].settings]));
    this.note = h("p", { class: "note" });
    root.replaceChildren(h("div", { class: "bench transformer" },
      h("section", { class: "card settings" }, controls.radios("mode", { shape: "stacked" }), Object.values(settings), this.note),
      ROOMS.flatMap((room) => [this.rooms[room].main, this.rooms[room].side])));
    onThemeChange(() => this.now && this.show(this.now, true));
  }

  lines(testid, setting) {
    const { words } = this;
    const onpick = (i) => this.change({ [setting]: this.controls.settings[setting] === i + 1 ? 0 : i + 1 });
    return new AttentionLines({ label: words.linesLabel, wordLabel: words.wordLabel, testid, onpick, live: this.live });
  }

  grid(testid, [layerName, headName]) {
    const onpick = (layer, head) => this.change({ [layerName]: layer, [headName]: head });
    return new HeadGrid({ words: this.words, testid, onpick, live: this.live });
  }

  translateCards() {
    const { words, controls } = this;
    this.translation = h("output", { class: "translation", testid: "translation", lang: "de" });
    this.translateLines = this.lines("lines", "word");
    this.translateGrid = this.grid("heads", ["layer", "head"]);
    this.alternatives = new ChanceList({ label: words.alternatives, testid: "alternative" });
    this.alternativesTitle = h("h2", {}, words.alternatives);
    this.alternativesNote = h("p", { class: "note" });
    this.looksTitle = h("h2", { testid: "looks-title" });
    return {
      settings: h("div", { class: "group" }, controls.radios("part", { shape: "stacked" }), controls.slider("beamSize")),
      main: h("section", { class: "card main" }, controls.text("sentence"),
        h("div", { class: "callout" }, this.translation), this.looksTitle, this.translateLines.element),
      side: h("section", { class: "card side" }, h("h2", {}, words.headsTitle), this.translateGrid.element,
        h("p", { class: "note" }, words.headsNote), this.alternativesTitle, this.alternatives.element, this.alternativesNote),
    };
  }

  pronounCards() {
    const { words, controls } = this;
    this.readings = [0, 1].map((i) => {
      const reading = {
        sentence: h("p", { class: "sentence", testid: `sentence-${i}` }),
        german: h("p", { class: "german", testid: `german-${i}`, lang: "de" }),
        verdict: h("p", { class: "callout", testid: `verdict-${i}`, role: "status" }),
        chances: new ChanceList({ label: words.pronounLabel, testid: `pronoun-${i}` }),
        lines: this.lines(`lines-${i}`, "itWord"),
      };
      reading.element = h("div", { class: "group" }, reading.sentence, reading.lines.element, reading.verdict,
        reading.chances.element, reading.german);
      return reading;
    });
    this.pronounGrid = this.grid("it-heads", ["itLayer", "itHead"]);
    this.learned = h("p", { class: "callout", testid: "learned" });
    return {
      settings: h("div", { class: "group" }, ["actor", "verb", "place", "adjective"].map((name) => controls.select(name))),
      main: h("section", { class: "card main" }, h("h2", {}, words.pronounTitle),
        h("div", { class: "pair wide" }, this.readings.map(({ element }) => element))),
      side: h("section", { class: "card side" }, h("h2", {}, words.headsTitle), this.pronounGrid.element,
        h("p", { class: "note" }, words.readerNote), this.learned),
    };
  }

  writeCards() {
    const { words, controls } = this;
    this.text = h("div", { class: "page-text", testid: "text", role: "log", "aria-label": words.textLabel, tabindex: 0 });
    this.next = new ChanceList({ label: words.next, testid: "next" });
    this.textGrid = this.grid("text-heads", ["textLayer", "textHead"]);
    this.candidates = readout(words.candidates, "candidates");
    return {
      settings: h("div", { class: "group" }, controls.text("prompt"), controls.slider("temperature", { step: 0.1 }),
        controls.slider("topK"), controls.seed("seed")),
      main: h("section", { class: "card main" }, h("h2", {}, words.textTitle), this.text,
        h("p", { class: "note" }, words.shadeNote), h("h2", {}, words.shadedBy), this.textGrid.element),
      side: h("section", { class: "card side" }, h("h2", {}, words.next), this.next.element, this.candidates),
    };
  }

  // drawing

  show(now, isNew) {
    this.now = now;
    const { mode } = now.settings;
    if (isNew) this.map = colourMap(themeColours(this.root));
    for (const room of ROOMS) for (const part of Object.values(this.rooms[room])) part.hidden = room !== mode;
    write(this.note, this.words.notes[mode]);
    this[`${mode}Show`](now);
  }

  translateShow({ frame, arrays, settings: { part } }) {
    const { words } = this;
    const { layers, heads, layer, head, word, written } = frame;
    write(this.translation, frame.translation);
    write(this.looksTitle, words.looks[part]);
    this.translateGrid.show({ layers, heads, layer, head, maps: arrays.heads, map: this.map });
    const begins = part === "target" ? 1 : 0; // the first word has no space before it
    this.translateLines.show({
      queries: frame.queries.map((token, i) => shownToken(token, i === begins, words)),
      keys: frame.keys.map((token, i) => shownToken(token, i === begins, words)), weights: arrays.weights.data, word,
    });
    const place = part !== "source" && word ? word - 1 : null;
    this.alternatives.element.hidden = place === null;
    write(this.alternativesNote, place === null ? words.alternativesHow : words.alternativesNote);
    if (place === null) return;
    const rows = frame.alternatives[place].map(([token, p]) => [shownToken(token, place === 0, words), p]);
    this.alternatives.show(rows, shownToken(written[place], place === 0, words));
  }

  pronounsShow({ frame, arrays }) {
    const { words } = this;
    const { layers, heads, layer, head, word, sentences } = frame;
    this.pronounGrid.show({ layers, heads, layer, head, maps: firstOf(arrays.heads), map: this.map });
    write(this.learned, frame.isLearned ? words.learned : words.unseen);
    sentences.forEach((said, i) => {
      const { sentence, german, verdict, chances, lines } = this.readings[i];
      const size = said.words.length ** 2;
      write(sentence, `${said.words.join(" ")}.`);
      write(german, said.german);
      lines.show({ queries: said.words, keys: said.words, weights: arrays.weights.data.subarray(i * size, (i + 1) * size), word });
      write(verdict, words.verdict(said.meant, said.pronoun, said.pronoun === said.right));
      chances.show(Object.entries(said.probabilities), said.pronoun);
    });
  }

  writeShow({ frame, arrays: { weights: { data } } }) {
    const { words } = this;
    const { text, nPrompt, layers, heads, layer, head } = frame;
    this.textGrid.show({ layers, heads, layer, head });
    const start = text.length - data.length;
    const most = Math.max(...data);
    const letters = Array.from(data, (weight, i) => {
      const letter = h("span", { class: start + i < nPrompt ? "given" : null }, text[start + i]);
      letter.style.setProperty("--looked", `${Math.round((90 * weight) / most)}%`);
      return letter;
    });
    this.text.replaceChildren(h("span", { class: "given" }, text.slice(0, Math.min(start, nPrompt))),
      text.slice(Math.min(start, nPrompt), start), ...letters, h("i", { class: "caret" }));
    this.text.scrollTop = this.text.scrollHeight;
    this.next.show(frame.next.map(([token, p]) => [words.character(token), p]), words.character(frame.drawn));
    write(this.candidates.output, String(frame.nCandidates));
  }
}

/** A token as the page shows it: without the space before it; a piece that goes on with a word has a dot. */
function shownToken(token, isFirst, { begin, end }) {
  if (token === "<begin>") return begin;
  if (token === "<end>") return end;
  const goesOn = !isFirst && /^[\p{L}\p{N}]/u.test(token);
  return `${goesOn ? "\u00b7" : ""}${token.trim()}`;
}

/** The first of several arrays that lie in one. */
function firstOf({ shape: [, ...shape], data }) {
  return { shape, data: data.subarray(0, shape.reduce((a, b) => a * b, 1)) };
}
