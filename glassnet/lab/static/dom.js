// Making elements: h for HTML, s for SVG.

const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element. `on...` are listeners, `testid` is data-testid; null, and false but in aria, is left out. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element, in the same way. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    const isAria = name.startsWith("aria-");
    if (value === null || value === undefined || (value === false && !isAria)) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (isAria) element.setAttribute(name, value);
    else element.setAttribute(name === "testid" ? "data-testid" : name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Make an icon from the path of a 24 x 24 drawing. */
export function icon(path) {
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, s("path", { d: path }));
}

/** Write `text` only if it is new, which spares the browser a layout. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
