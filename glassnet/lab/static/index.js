// The first page: the history as a timeline, each moment with its exhibits or its story.

import { h } from "./dom.js";
import { emblem } from "./emblems.js";
import { headerButtons } from "./header.js";
import { texts } from "./texts.js";

const { moments, exhibits } = JSON.parse(document.querySelector("#history").textContent);
const FIRST = 1940;
const LAST = 2020;

document.title = `${texts.lab} \u00b7 ${texts.title}`;
document.querySelector("#tools").append(...headerButtons(texts));
document.querySelector("#hero").append(h("h1", {}, texts.tagline), h("p", {}, texts.intro), axis());
document.querySelector("#timeline").append(...moments.map(moment));

/** The years on a true scale; the winters are shaded, and a point leads to its moment. */
function axis() {
  const share = (year) => `${(100 * (year - FIRST)) / (LAST - FIRST)}%`;
  const place = (element, from, to) => {
    element.style.left = share(from);
    if (to) element.style.width = `calc(${share(to)} - ${share(from)})`;
    return element;
  };
  const decades = Array.from({ length: (LAST - FIRST) / 10 + 1 }, (_, i) => FIRST + 10 * i);
  const winters = texts.winters.map(({ from, to, name }) => place(h("span", { class: "winter" }, name), from, to));
  const points = moments.map(({ year, title, exhibits: names }) => {
    const link = { href: `#${year}`, class: names.length ? "point lit" : "point", title: `${year}: ${title}` };
    return place(h("a", { ...link, "aria-label": link.title, testid: `go-${year}` }), year);
  });
  const ticks = decades.map((year) => place(h("span", { class: "tick", "aria-hidden": "true" }, String(year)), year));
  return h("nav", { class: "axis", "aria-label": texts.years }, winters, ticks, points);
}

function moment({ year, title, people, source, story, winter, exhibits: names }) {
  const open = names.filter((name) => name in texts.exhibits && exhibits.includes(name)).map(exhibitCard);
  return h("li", { id: String(year), class: `${winter ? "winter" : ""} ${open.length ? "lit" : "told"}`, testid: `moment-${year}` },
    h("span", { class: "year" }, String(year)),
    h("article", { class: "card" },
      emblem(year),
      h("div", { class: "telling" },
        h("h2", {}, title), h("p", { class: "people" }, people), h("p", {}, story),
        h("p", { class: "source" }, h("cite", {}, source))),
      open.length ? h("div", { class: "doors" }, open) : null));
}

function exhibitCard(name) {
  const { title, summary } = texts.exhibits[name];
  return h("a", { class: "door", href: `exhibits/${name}`, testid: `open-${name}` },
    h("span", { class: "door-title" }, title), h("span", { class: "door-summary" }, summary),
    h("span", { class: "door-arrow", "aria-hidden": "true" }, "\u2192"));
}
