// Your model: its layers, and one picture of what is inside. It shows what Python drew.

import { onThemeChange } from "../static/colours.js";
import { h, write } from "../static/dom.js";
import { wholeNumber } from "../static/numbers.js";
import { readout } from "../static/readout.js";

/** Build the exhibit in `root`; see static/stage.js. */
export function mount(root, context) {
  return new ModelView(root, context);
}

class ModelView {
  constructor(root, { texts: { options }, words, controls }) {
    Object.assign(this, { root, words, pictures: options });
    this.name = h("h2", { testid: "model-name" });
    this.facts = h("div", { testid: "facts" });
    this.note = h("p", { class: "note" });
    this.parameters = readout(words.parameters, "parameters");
    this.layers = h("tbody", { testid: "layers" });
    this.picture = h("img", { class: "inspection", testid: "inspection", alt: "" });
    this.says = h("p", { class: "callout", testid: "says" });
    const heads = words.heads.map((text) => h("th", { scope: "col" }, text));
    root.replaceChildren(h("div", { class: "model" },
      h("section", { class: "card group" }, this.name, this.facts, this.parameters,
        h("table", {}, h("thead", {}, h("tr", {}, heads)), this.layers), this.note),
      h("section", { class: "card group" }, controls.select("picture"), this.says, this.picture)));
    onThemeChange(() => this.showPicture());
  }

  show(now) {
    this.now = now;
    const { words } = this;
    const { frame, scene, settings } = now;
    write(this.name, frame.name);
    this.facts.replaceChildren(...frame.facts.map((fact) => h("p", { class: "note" }, fact)));
    write(this.note, frame.isExample ? words.howTo : "");
    write(this.parameters.output, wholeNumber(frame.parameters));
    write(this.says, scene.refused ? words.refused(this.pictures[settings.picture], scene.refused) : scene.says);
    this.layers.replaceChildren(...frame.layers.map((row) => h("tr", {},
      h("th", { scope: "row" }, row.address), h("td", {}, row.kind),
      h("td", {}, row.shape.length ? row.shape.join(" \u00d7 ") + words.calls(row.calls) : words.notCalled),
      h("td", {}, wholeNumber(row.parameters)))));
    this.picture.alt = words.alt(this.pictures[settings.picture], frame.name);
    this.showPicture();
  }

  showPicture() {
    if (!this.now) return;
    const { arrays, scene } = this.now;
    this.picture.hidden = Boolean(scene.refused);
    if (scene.refused) return;
    const isDark = getComputedStyle(this.root).getPropertyValue("color").match(/\d+/g).map(Number)[0] > 128;
    const text = new TextDecoder().decode(arrays[isDark ? "dark" : "light"].data);
    this.picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  }
}
