// The notebook's host: requests over the kernel's comm, in a shadow root, so that neither page styles the other.
// Read in a bundle only, in which `mount` is the exhibit's.

import { h } from "./dom.js";
import { Requests } from "./host.js";
import { unpack } from "./protocol.js";
import { Stage } from "./stage.js";
import { Tools } from "./tools.js";
import { texts } from "./texts.js";

let views = 0;

/** Show the exhibit of `model` in `el`; called by anywidget for every view. Returns what ends the view. */
function render({ model, el }) {
  const view = ++views;
  const requests = new Requests((message, data) => model.send({ view, message }, undefined, data ? [data] : []));
  const receive = (content, buffers) => {
    if (content.view === view) requests.receive(unpack(bufferOf(buffers[0])));
  };
  model.on("msg:custom", receive);

  const name = model.get("exhibit_name");
  const exhibitTexts = texts.exhibits[name];
  const place = h("main");
  const stage = new Stage(place, {
    request: (message, data) => requests.request(message, data), mount, texts, exhibitTexts, onsettings: () => {},
  });
  const body = h("div", { class: "glassnet" });
  const tools = new Tools({ stage, texts, name, place: body });
  body.append(
    h("header", { class: "bar" },
      h("div", { class: "title" }, h("span", { class: "year" }, exhibitTexts.year), h("h1", {}, exhibitTexts.title)),
      h("div", { class: "tools" }, tools.buttons)),
    place);
  const root = el.attachShadow({ mode: "open" });
  root.append(h("style", {}, model.get("styles")), body);
  const endTheme = followTheme(el);
  stage.open(model.get("settings"), model.get("step"));
  return () => {
    stage.close();
    requests.lose();
    model.off("msg:custom", receive);
    endTheme();
  };
}

/** Buffers come as views into larger ones, whose numbers need not lie where typed arrays want them. */
function bufferOf(data) {
  return data instanceof ArrayBuffer ? data : data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
}

/** Be as light or dark as the notebook, where it says which it is. */
function followTheme(el) {
  const { body } = document;
  const follow = () => {
    const isLight = body.dataset.jpThemeLight ?? (/vscode-(light|dark)/.exec(body.className)?.[1] === "light");
    const isKnown = "jpThemeLight" in body.dataset || /vscode-(light|dark)/.test(body.className);
    if (isKnown) el.dataset.theme = String(isLight) === "true" ? "light" : "dark";
    dispatchEvent(new Event("themechange"));
  };
  const observer = new MutationObserver(follow);
  observer.observe(body, { attributeFilter: ["data-jp-theme-light", "class"] });
  follow();
  return () => observer.disconnect();
}

export default { render };
