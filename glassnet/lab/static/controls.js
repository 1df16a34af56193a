// Controls made from the settings' declared bounds: each knows its name, its label and how to show a value.

import { h, icon, write } from "./dom.js";

const DICE = "M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z" +
  "m3 4.5v1m8-1v1m-4 3v1m-4 3v1m8-1v1";

/** The controls of one exhibit. `change({name: value})` is called when the visitor moves one. */
export class Controls {
  constructor({ properties, texts, change, live }) {
    Object.assign(this, { properties, texts, change, live });
    this.syncs = [];
    this.settings = {};
  }

  /** Show the settings that the exhibit really has. */
  sync(settings) {
    this.settings = { ...settings };
    for (const show of this.syncs) show(settings);
  }

  /** Keep what the visitor has just asked for, which holds for the next click before it is answered. */
  wish(values) {
    Object.assign(this.settings, values);
  }

  /** The rows of numbers that the visitor's own points lie in: as last asked for, else those that are shown. */
  ownRows(shown, digits) {
    const { dataset, points } = this.settings;
    return dataset === "own" ? [...points] : Array.from(shown.data, (value) => +value.toFixed(digits));
  }

  label(name) {
    return this.texts.controls[name] ?? name;
  }

  option(value) {
    return this.texts.options[value] ?? String(value);
  }

  /** A range input with its value written beside the label. */
  slider(name, { step = 1, unit = "" } = {}) {
    const { minimum: min, maximum: max } = this.properties[name];
    const value = h("output", { for: name, testid: `${name}-value` });
    const input = h("input", {
      type: "range", id: name, testid: name, min, max, step, disabled: !this.live,
      oninput: () => {
        write(value, input.value + unit);
        this.change({ [name]: Number(input.value) });
      },
    });
    this.syncs.push((settings) => {
      if (Number(input.value) !== settings[name]) input.value = settings[name];
      write(value, settings[name] + unit);
    });
    return h("div", { class: "control slider" }, h("label", { for: name }, this.label(name), value), input);
  }

  /** A drop-down list of the allowed values, or of the usual ones where any number is allowed. */
  select(name) {
    const { enum: names, choices } = this.properties[name];
    const values = names ?? choices;
    const options = values.map((value) => h("option", { value }, this.option(value)));
    const input = h("select", {
      id: name, testid: name, disabled: !this.live,
      onchange: () => this.change({ [name]: names ? input.value : Number(input.value) }),
    }, options);
    this.syncs.push((settings) => {
      const text = String(settings[name]);
      const isOffered = [...input.options].some((option) => option.value === text);
      if (!isOffered) input.prepend(h("option", { value: text }, text));
      input.value = text;
    });
    return h("div", { class: "control" }, h("label", { for: name }, this.label(name)), input);
  }

  /** A drop-down list for one entry of a list of names; `where()` gives its place and the length that the list has. */
  entry(name, where) {
    const values = this.properties[name].items.enum;
    const input = h("select", {
      id: name, testid: name, disabled: !this.live, onchange: () => {
        const [place, length] = where();
        const list = Array.from({ length }, (_, i) => this.settings[name][i] ?? values[0]);
        list[place] = input.value;
        this.change({ [name]: list });
      },
    }, values.map((value) => h("option", { value }, this.option(value))));
    const show = () => (input.value = this.settings?.[name][where()[0]] ?? values[0]);
    this.syncs.push(show);
    return Object.assign(h("div", { class: "control" }, h("label", { for: name }, this.label(name)), input), { show });
  }

  /** Radio buttons that look like one divided button; `draw(value)` may return a picture for each. */
  radios(name, { draw = () => null, shape = "segmented" } = {}) {
    const inputs = this.properties[name].enum.map((value) => h("input", {
      type: "radio", name, value, testid: `${name}-${value}`, disabled: !this.live,
      onchange: () => this.change({ [name]: value }),
    }));
    const items = inputs.map((input) =>
      h("label", {}, input, draw(input.value), h("span", {}, this.option(input.value))));
    this.syncs.push((settings) => {
      for (const input of inputs) input.checked = input.value === settings[name];
    });
    const legend = h("legend", {}, this.label(name));
    return h("fieldset", { class: `control ${shape}`, testid: name }, legend, h("div", { class: "options" }, items));
  }

  /** A check box, perhaps with a mark before its label. */
  toggle(name, mark = null) {
    const input = h("input", {
      type: "checkbox", id: name, testid: name, disabled: !this.live,
      onchange: () => this.change({ [name]: input.checked }),
    });
    this.syncs.push((settings) => (input.checked = settings[name]));
    return h("label", { class: "control toggle" }, input, mark ?? "", h("span", {}, this.label(name)));
  }

  /** A line of text to type, taken over by Enter or by leaving the field. */
  text(name) {
    const input = h("input", {
      type: "text", id: name, testid: name, maxlength: this.properties[name].maxLength, spellcheck: "false",
      autocomplete: "off", disabled: !this.live, onchange: () => this.change({ [name]: input.value }),
    });
    this.syncs.push((settings) => (input.value = settings[name]));
    return h("div", { class: "control" }, h("label", { for: name }, this.label(name)), input);
  }

  /** A whole number to type, with a button that draws a new one. */
  seed(name) {
    const { minimum: min, maximum: max } = this.properties[name];
    const input = h("input", {
      type: "number", id: name, testid: name, min, max, step: 1, disabled: !this.live,
      onchange: () => this.change({ [name]: Number(input.value) }),
    });
    const { newSeed } = this.texts;
    const draw = h("button", {
      type: "button", class: "quiet square", testid: `${name}-new`, "aria-label": newSeed, title: newSeed,
      disabled: !this.live, onclick: () => this.change({ [name]: Math.floor(Math.random() * 10000) }),
    }, icon(DICE));
    this.syncs.push((settings) => (input.value = settings[name]));
    const label = h("label", { for: name }, this.label(name));
    return h("div", { class: "control" }, label, h("div", { class: "joined" }, input, draw));
  }
}
