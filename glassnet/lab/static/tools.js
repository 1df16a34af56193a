// What every host offers beside the exhibit: copy as Python, save the picture, save a stand-alone file.

import { h, icon } from "./dom.js";
import { pictureOf } from "./picture.js";

const CODE = "M9 7l-5 5 5 5M15 7l5 5-5 5";
const PICTURE = "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01";
const FILE = "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14";
const SIGMA = "M17 7V5H7l6 7-6 7h10v-2";
const SHOWN_FOR = 2000;

/** A header button with an icon and a name. */
export function toolButton(testid, path, name, onclick) {
  const attributes = { type: "button", class: "quiet", testid, onclick, title: name, "aria-label": name };
  return h("button", attributes, icon(path), h("span", {}, name));
}

/** The tools of one stage; dialogs open in `place`. */
export class Tools {
  constructor({ stage, texts, name, place }) {
    Object.assign(this, { stage, texts, name });
    this.buttons = [
      toolButton("copy-python", CODE, texts.copyPython, () => this.showPython()),
      toolButton("save-svg", PICTURE, texts.savePicture, () => this.savePicture()),
    ];
    const { equations } = texts.exhibits[name];
    if (equations) this.buttons.unshift(this.equationButton(equations));
    if (stage.live) this.buttons.push(toolButton("save-html", FILE, texts.saveFile, () => this.saveFile()));
    place.append(this.pythonDialog(), this.progressDialog());
  }

  /** A button that shows or hides the exhibit's equations, above it. */
  equationButton(equations) {
    const lines = equations.map(([what, formula]) => [h("dt", {}, what), h("dd", {}, formula)]);
    const card = h("aside", { class: "card equations", testid: "equations", hidden: true },
      h("h2", {}, this.texts.equations), h("dl", {}, lines.flat()));
    this.stage.place.before(card);
    const button = toolButton("show-equations", SIGMA, this.texts.equations, () => {
      card.hidden = !card.hidden;
      button.setAttribute("aria-pressed", !card.hidden);
    });
    button.setAttribute("aria-pressed", false);
    return button;
  }

  pythonDialog() {
    const { texts } = this;
    this.code = h("pre", { testid: "python", tabindex: 0 });
    const copyCode = () => copyText(this.code.textContent, this.copyButton, texts, this.code);
    this.copyButton = h("button", { type: "button", class: "primary", onclick: copyCode }, texts.copy);
    const closeButton = h("button", { class: "quiet", testid: "close-python" }, texts.close);
    this.python = h("dialog", { "aria-label": texts.pythonTitle },
      h("h2", {}, texts.pythonTitle), h("p", {}, texts.pythonIntro), this.code,
      h("form", { method: "dialog", class: "row" }, this.copyButton, closeButton));
    return this.python;
  }

  progressDialog() {
    this.progress = h("progress", { max: 1, value: 0, "aria-label": this.texts.saving });
    this.saving = h("dialog", { "aria-label": this.texts.saving, oncancel: () => (this.isCancelled = true) },
      h("p", {}, this.texts.saving), this.progress);
    return this.saving;
  }

  async showPython() {
    const python = await this.stage.python();
    if (!python) return;
    this.code.textContent = python;
    this.copyButton.textContent = this.texts.copy;
    this.python.showModal();
  }

  async savePicture() {
    download(`${this.name}.svg`, "image/svg+xml", await pictureOf(this.stage.place));
  }

  /** Let Python record the exhibit piece by piece; Escape stops it. */
  async saveFile() {
    this.isCancelled = false;
    this.progress.value = 0;
    this.saving.showModal();
    const html = await this.stage.exported((share) => {
      this.progress.value = share;
      return !this.isCancelled;
    });
    this.saving.close();
    if (html) download(`${this.name}.html`, "text/html", html);
  }
}

/** Copy text and say so on `button`; where the browser forbids it, mark `shown` and say how to copy by hand. */
export async function copyText(text, button, { copied, copyByHand }, shown) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = copied;
  } catch {
    if (shown) getSelection().selectAllChildren(shown);
    button.textContent = copyByHand;
  }
  setTimeout(() => (button.textContent = before), SHOWN_FOR);
}

/** Let the browser save `content` as a file. */
export function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), SHOWN_FOR);
}
