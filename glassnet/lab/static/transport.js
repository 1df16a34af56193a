// The transport: play, step, reset, and the slider through recorded time.

import { h, icon, write } from "./dom.js";
import { wholeNumber } from "./numbers.js";

const PLAY = "M8 5.2v13.6a.7.7 0 0 0 1.1.6l10.2-6.8a.7.7 0 0 0 0-1.2L9.1 4.6A.7.7 0 0 0 8 5.2z";
const PAUSE = "M7.5 5h2.6v14H7.5zM13.9 5h2.6v14h-2.6z";
const STEP = "M6 5.4v13.2a.6.6 0 0 0 .9.5l9.6-6.6a.6.6 0 0 0 0-1L6.9 4.9a.6.6 0 0 0-.9.5zM17.5 5h2v14h-2z";
const RESET = "M12 5V2L7.5 6 12 10V7a5.5 5.5 0 1 1-5.5 5.5h-2A7.5 7.5 0 1 0 12 5z";
const SPEEDS = [1, 5, 25, 100, 500];
const FASTEST = 100000;
const USUAL = "25";

export class Transport {
  constructor(texts, actions, live) {
    this.texts = texts;
    const button = (name, path, action, testid, look) => h("button", {
      type: "button", class: look, testid, "aria-label": name, title: name, onclick: action,
    }, icon(path));
    this.resetButton = button(texts.reset, RESET, actions.reset, "reset", "quiet round");
    this.playButton = button(texts.play, PLAY, actions.play, "play", "primary round");
    this.stepButton = button(texts.step, STEP, actions.step, "step", "quiet round");
    this.step = h("output", { testid: "step-number" }, "0");
    this.epoch = h("output", { testid: "epoch-number" }, "0");
    this.slider = h("input", {
      type: "range", min: 0, max: 0, value: 0, testid: "time", "aria-label": texts.time,
      oninput: () => actions.seek(Number(this.slider.value)),
    });
    this.end = h("output", { class: "time-end", testid: "last-step" }, "0");
    const speeds = SPEEDS.map((steps) => h("option", { value: steps }, String(steps)));
    this.speedSelect = h("select", { id: "speed", testid: "speed", disabled: !live, onchange: actions.speed },
      speeds, h("option", { value: "max" }, texts.fastest));
    this.speedSelect.value = USUAL;
    this.element = h("section", { class: "transport", "aria-label": texts.training },
      h("div", { class: "buttons" }, this.resetButton, this.playButton, this.stepButton),
      h("div", { class: "counter" }, h("span", {}, texts.stepNumber), this.step),
      h("div", { class: "counter" }, h("span", {}, texts.epochNumber), this.epoch),
      h("div", { class: "time" }, h("span", {}, "0"), this.slider, this.end),
      h("div", { class: "control inline" }, h("label", { for: "speed" }, texts.speed), this.speedSelect));
  }

  /** Steps to ask for at a time. */
  get speed() {
    return this.speedText === "max" ? FASTEST : Number(this.speedText);
  }

  get speedText() {
    return this.speedSelect.value;
  }

  /** Take the speed of a link, if it is one of those offered. */
  set speedText(text) {
    if ([...this.speedSelect.options].some((option) => option.value === text)) this.speedSelect.value = text;
  }

  showPlaying(isPlaying) {
    const name = isPlaying ? this.texts.pause : this.texts.play;
    this.playButton.replaceChildren(icon(isPlaying ? PAUSE : PLAY));
    this.playButton.setAttribute("aria-label", name);
    this.playButton.title = name;
    this.playButton.dataset.playing = isPlaying;
  }

  show(time) {
    if (!time) return;
    write(this.step, wholeNumber(time.step));
    this.epoch.parentElement.hidden = time.epoch === null;
    if (time.epoch !== null) write(this.epoch, wholeNumber(time.epoch));
    write(this.end, wholeNumber(time.last));
    this.slider.max = time.last;
    if (!this.slider.matches(":active")) this.slider.value = time.step;
    this.slider.setAttribute("aria-valuetext", `${this.texts.stepNumber} ${wholeNumber(time.step)}`);
    this.slider.style.setProperty("--filled", time.last ? time.step / time.last : 0);
  }
}
