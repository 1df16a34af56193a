// The page host: one exhibit over a WebSocket, its settings in the address.

import { h, icon } from "./dom.js";
import { SocketHost } from "./host.js";
import { readLink, writeLink } from "./link.js";
import { unpack } from "./protocol.js";
import { Stage } from "./stage.js";
import { headerButtons } from "./header.js";
import { texts } from "./texts.js";

const LINK = "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1";
const CODE = "M9 7l-5 5 5 5M15 7l5 5-5 5";

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
  onopen: () => (stage.view ? stage.reopen() : stage.open(settings, Number(step) || 0)),
  onlost: () => stage.say(texts.lost),
  onwords: (words) => stage.fail(words),
});
const stage = new Stage(document.querySelector("#stage"), {
  request: (message) => host.request(message),
  mount,
  texts,
  exhibitTexts,
  onsettings: (now, speedText) => history.replaceState(null, "", writeLink({ ...now, speed: speedText })),
});
stage.transport.speedText = speed ?? "";

const { year, title } = exhibitTexts;
document.querySelector("#title").append(h("span", { class: "year" }, year), h("h1", {}, title));
const tool = (testid, path, name, onclick) =>
  h("button", { type: "button", class: "quiet", testid, onclick, title: name }, icon(path), h("span", {}, name));
document.querySelector("#tools").append(
  tool("copy-link", LINK, texts.copyLink, copyLink),
  tool("copy-python", CODE, texts.copyPython, showPython),
  ...headerButtons(texts),
);

const code = h("pre", { testid: "python", tabindex: 0 });
const copyCode = () => copy(code.textContent, copyButton, texts.copied);
const copyButton = h("button", { type: "button", class: "primary", onclick: copyCode }, texts.copy);
const closeButton = h("button", { class: "quiet", testid: "close-python" }, texts.close);
const dialog = h("dialog", { "aria-labelledby": "python-title" },
  h("h2", { id: "python-title" }, texts.pythonTitle), h("p", {}, texts.pythonIntro), code,
  h("form", { method: "dialog", class: "row" }, copyButton, closeButton));
document.body.append(dialog);

async function showPython() {
  const python = await stage.python();
  if (!python) return;
  code.textContent = python;
  copyButton.textContent = texts.copy;
  dialog.showModal();
}

/** Copy the address with all settings and the step that is shown. */
function copyLink(event) {
  stage.play(false);
  const { time, settings: now } = stage.now;
  const hash = writeLink({ ...now, speed: stage.transport.speedText, ...(time?.step ? { step: time.step } : {}) });
  history.replaceState(null, "", hash);
  copy(location.href, event.currentTarget.querySelector("span"), texts.linkCopied);
}

/** Copy text and say so on `button`; where the browser forbids it, say how to copy by hand. */
async function copy(text, button, done) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = done;
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = texts.copyByHand;
  }
  setTimeout(() => (button.textContent = before), 2000);
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
