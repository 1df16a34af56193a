// A number of the page: a word, and below it the value, large.

import { h } from "./dom.js";

/** Make the element; its `output` takes the value. `kind` names the curve that it belongs to. */
export function readout(label, testid, kind = "") {
  const output = h("output", { testid });
  return Object.assign(h("div", { class: `number ${kind}` }, h("span", {}, label), output), { output });
}
