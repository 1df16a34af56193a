// The page host: one exhibit over a WebSocket, its settings in the address.

import { h } from "./dom.js";
import { headerButtons } from "./header.js";
import { SocketHost } from "./host.js";
import { readLink, writeLink } from "./link.js";
import { packRequest, unpack } from "./protocol.js";
import { Stage } from "./stage.js";
import { texts } from "./texts.js";
import { Tools, copyText, toolButton } from "./tools.js";

const LINK = "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1";

const { exhibit: name } = document.body.dataset;
const exhibitTexts = texts.exhibits[name];
const query = new URLSearchParams(location.search);
document.body.classList.toggle("embed", query.get("embed") === "1");
document.title = `${exhibitTexts.title} \u00b7 ${texts.title}`;

const { mount } = await import(`../exhibits/${name}.js`);
const { speed, step, ...settings } = readLink(location.hash);
const address = new URL(`./${name}/ws${location.search}`, location.href);
address.protocol = address.protocol.replace("http", "ws");

const host = new SocketHost(address, {
  decode: unpack,
  encode: packRequest,
  onopen: () => (stage.view ? stage.reopen() : stage.open(settings, Number(step) || 0)),
  onlost: () => stage.say(texts.lost),
  onwords: (words) => stage.fail(words),
});
const stage = new Stage(document.querySelector("#stage"), {
  request: (message, data) => host.request(message, data),
  mount,
  texts,
  exhibitTexts,
  onsettings: (now, speedText) => history.replaceState(null, "", writeLink({ ...now, speed: speedText })),
});
stage.transport.speedText = speed ?? "";

const { year, title } = exhibitTexts;
document.querySelector("#title").append(h("span", { class: "year" }, year), h("h1", {}, title));
document.querySelector("#tools").append(
  toolButton("copy-link", LINK, texts.copyLink, copyLink),
  ...new Tools({ stage, texts, name, place: document.body }).buttons,
  ...headerButtons(texts),
);

/** Copy the address with all settings and the step that is shown. */
function copyLink(event) {
  stage.play(false);
  const { time, settings: now } = stage.now;
  const hash = writeLink({ ...now, speed: stage.transport.speedText, ...(time?.step ? { step: time.step } : {}) });
  history.replaceState(null, "", hash);
  copyText(location.href, event.currentTarget.querySelector("span"), { ...texts, copied: texts.linkCopied });
}

addEventListener("hashchange", () => {
  const { speed: newSpeed, step: newStep, ...linked } = readLink(location.hash);
  stage.play(false);
  stage.transport.speedText = newSpeed ?? "";
  stage.open(linked, Number(newStep) || 0);
});

addEventListener("keydown", (event) => {
  if (event.key === " " && (event.target === document.body || event.target.matches("main"))) {
    event.preventDefault();
    stage.play(!stage.playing);
  }
});
