// The first page: the exhibits in the order of their years.

import { h } from "./dom.js";
import { headerButtons } from "./header.js";
import { texts } from "./texts.js";

const names = document.body.dataset.exhibits.split(" ").filter(Boolean);
const known = names.map((name) => ({ name, ...texts.exhibits[name] }));
known.sort((a, b) => a.year.localeCompare(b.year));

document.title = `${texts.lab} \u00b7 ${texts.title}`;
document.querySelector("#tools").append(...headerButtons(texts));
document.querySelector("#hero").append(h("h1", {}, texts.tagline), h("p", {}, texts.intro));
document.querySelector("#exhibits").append(...known.map(({ name, year, title, people, summary }) => {
  const words = [h("h2", {}, title), h("p", { class: "people" }, people), h("p", {}, summary)];
  const card = h("a", { class: "card", href: `exhibits/${name}`, testid: `open-${name}` }, words);
  return h("li", {}, h("span", { class: "year" }, year), card);
}));
