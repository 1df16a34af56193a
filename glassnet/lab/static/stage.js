// The stage: plays one exhibit for any host. A host gives `request(message)` -> reply; an exhibit gives
// `mount(root, context)` -> {show(now, isNew)}. Between them: time, and drawing only the newest frame.

import { Controls } from "./controls.js";
import { h } from "./dom.js";
import { ConnectionLost } from "./host.js";
import { Transport } from "./transport.js";

const MOST_STEPS_IN_FLIGHT = 3;
const MOST_FILE_BYTES = 10 * 2 ** 20;

export class Stage {
  /** `onsettings(settings, speed)` is called when the link changes. */
  constructor(root, { request, mount, texts, exhibitTexts, onsettings, live = true }) {
    Object.assign(this, { request, mount, texts, exhibitTexts, onsettings, live });
    this.now = { arrays: {} };
    this.changes = {};
    this.isChanging = false;
    this.isLost = false;
    this.seekTo = null;
    this.target = null;
    this.stepsInFlight = 0;
    this.unanswered = 0;
    this.playing = false;
    this.words = h("span");
    const dismiss = h("button", { type: "button", class: "quiet", onclick: () => this.say("") }, texts.dismiss);
    this.notice = h("div", { class: "notice", role: "alert", testid: "notice", hidden: true }, this.words, dismiss);
    this.transport = new Transport(texts, {
      play: () => this.play(!this.playing),
      step: () => this.stepOnce(),
      reset: () => this.reset(),
      seek: (step) => this.seek(step),
      speed: () => this.onsettings(this.now.settings, this.transport.speedText),
    }, live);
    this.transport.speedText = exhibitTexts.usualSpeed ?? "";
    this.transport.element.hidden = true;
    this.place = h("div", { class: "exhibit" }, h("p", { class: "loading", role: "status" }, texts.loading));
    root.replaceChildren(this.transport.element, this.notice, this.place);
    this.draw = this.draw.bind(this);
  }

  /** Open the exhibit with the settings of a link, at a step; call again after a lost connection. */
  async open(settings, step = 0) {
    this.isLost = this.isChanging = false;
    this.stepsInFlight = 0;
    this.seekTo = null;
    this.target = step > 0 ? step : null;
    const reply = await this.ask({ do: "open", settings });
    if (!reply) return;
    if (!this.view) this.build(reply);
    this.say(reply.complaints.join(" "));
  }

  /** Go on as before after the connection was lost, with the changes that did not get through. */
  reopen() {
    const isChanged = Object.keys(this.changes).length > 0;
    const settings = { ...this.now.settings, ...this.changes };
    this.changes = {};
    const { kind, data } = this.uploaded ?? {};
    if (data) this.request({ do: "upload", kind }, data).catch(() => null); // answered before what comes next
    return this.open(settings, isChanged ? 0 : (this.target ?? this.now.time?.step ?? 0));
  }

  build(reply) {
    const { properties } = reply.schema;
    const change = (values) => {
      this.controls.wish(values);
      return this.change(values);
    };
    const { texts, live, exhibitTexts: words } = this;
    const controls = new Controls({ properties, texts, change, live });
    const ask = (question, details) => this.request({ do: "ask", question, details }).catch(() => ({}));
    const seek = (step) => this.seek(step);
    const upload = (kind, file, values) => this.upload(kind, file, values);
    const say = (text) => this.say(text);
    const actions = { change, ask, seek, upload, say };
    this.view = this.mount(this.place, { texts, words, controls, ...actions, properties, live });
    this.controls = controls;
    controls.sync(reply.settings);
    this.redraw = true;
    requestAnimationFrame(this.draw);
  }

  /** Send a request; take the reply in, or show its words. The place says whether any is unanswered. */
  async ask(message, data = null) {
    this.place.toggleAttribute("data-waiting", ++this.unanswered > 0);
    try {
      const reply = await this.request(message, data);
      if (reply.error) return this.fail(reply.error);
      this.take(reply);
      return reply;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      this.isLost = true;
      return null;
    } finally {
      this.place.toggleAttribute("data-waiting", --this.unanswered > 0);
    }
  }

  fail(words) {
    this.play(false);
    this.target = null;
    this.say(words);
    this.controls?.sync(this.now.settings);
    return null;
  }

  take(reply) {
    this.now = { ...this.now, ...reply, arrays: { ...this.now.arrays, ...reply.arrays } };
    this.redraw = true;
    if (reply.settings) {
      this.isNew = true;
      this.controls?.sync({ ...reply.settings, ...this.changes });
      this.onsettings(reply.settings, this.transport.speedText);
    }
  }

  say(words) {
    this.words.textContent = words;
    this.notice.hidden = !words;
  }

  /** Change settings; what is changed while a change is under way goes out together after it. */
  async change(values) {
    this.changes = { ...this.changes, ...values };
    if (this.isChanging) return;
    this.isChanging = true;
    while (Object.keys(this.changes).length && !this.isLost) {
      const settings = this.changes;
      this.changes = {};
      this.target = null;
      const reply = await this.ask({ do: "set", settings });
      if (reply) this.say("");
      else if (this.isLost) this.changes = { ...settings, ...this.changes };
    }
    this.isChanging = false;
  }

  /** Bring a file of the visitor's own, with settings that show it; kept here for a new connection. */
  async upload(kind, file, settings = {}) {
    if (file.size > MOST_FILE_BYTES) return this.say(this.texts.fileTooLarge(file.size / 2 ** 20));
    this.play(false);
    const data = await file.arrayBuffer();
    const reply = await this.ask({ do: "upload", kind, settings }, data);
    if (!reply) return;
    this.uploaded = { kind, data };
    this.target = null;
    this.say("");
  }

  play(isPlaying) {
    this.playing = isPlaying;
    this.transport.showPlaying(isPlaying);
  }

  stepOnce() {
    this.play(false);
    return this.ask({ do: "step", n: 1 });
  }

  reset() {
    this.play(false);
    return this.open(this.now.settings);
  }

  /** Go to a recorded step; only the newest wish is sent. */
  async seek(step) {
    this.play(false);
    const isUnderWay = this.seekTo !== null;
    this.seekTo = step;
    while (!isUnderWay && this.seekTo !== null) {
      const wish = this.seekTo;
      await this.ask({ do: "seek", step: wish });
      if (this.seekTo === wish) this.seekTo = null;
    }
  }

  /** Ask for the script; the page stands still, so that script and page tell the same numbers. */
  async python() {
    this.play(false);
    return (await this.ask({ do: "python" }))?.python;
  }

  /** Let Python write the stand-alone file, piece by piece; `onprogress(share)` returns whether to go on. */
  async exported(onprogress) {
    this.play(false);
    for (;;) {
      const reply = await this.request({ do: "export" }).catch(() => null);
      if (!reply) return null;
      if (reply.error) return this.fail(reply.error);
      if (reply.arrays.html) return reply.arrays.html.data;
      if (!onprogress(reply.share)) return null;
    }
  }

  /** Stop drawing; the page that held the exhibit is gone. */
  close() {
    this.play(false);
    this.isClosed = true;
  }

  /** Once a screen refresh: draw what is newest, ask for more. */
  draw() {
    if (this.isClosed) return;
    if (this.redraw) {
      this.redraw = false;
      this.transport.element.hidden = !this.now.time;
      this.transport.show(this.now.time);
      this.view.show(this.now, this.isNew);
      this.isNew = false;
    }
    this.pull();
    requestAnimationFrame(this.draw);
  }

  async pull() {
    if (this.target !== null) return this.pullTowards(this.target);
    if (!this.playing || this.stepsInFlight >= MOST_STEPS_IN_FLIGHT) return;
    this.stepsInFlight++;
    await this.ask({ do: "step", n: this.transport.speed });
    this.stepsInFlight = Math.max(0, this.stepsInFlight - 1);
    if (!this.live && this.now.time.step === this.now.time.last) this.play(false);
  }

  async pullTowards(target) {
    if (this.stepsInFlight > 0) return;
    this.stepsInFlight++;
    await this.ask({ do: "seek", step: target });
    this.stepsInFlight = 0;
    if (this.now.time?.step >= target) this.target = null;
  }
}
