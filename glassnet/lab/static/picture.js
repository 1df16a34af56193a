// The exhibit as one SVG file: boxes, texts, canvases and drawings, where the browser has put them.

import { s } from "./dom.js";

const DRAWN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity",
  "fill-opacity", "stroke-opacity", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline"];
const FONT = "system-ui, sans-serif";
const MARGIN_AROUND = 12;

/** Return the cards of `root` that hold a drawing as the text of an SVG file; controls are left out. */
export async function pictureOf(root) {
  const cards = [...root.querySelectorAll(".card")].filter((card) =>
    isSeen(card) && [...card.querySelectorAll("canvas, svg, .chances")].some((drawing) => !drawing.closest(".control, .icon")));
  const boxes = (cards.length ? cards : [root]).map((card) => card.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left)) - MARGIN_AROUND;
  const top = Math.min(...boxes.map((box) => box.top)) - MARGIN_AROUND;
  const width = Math.max(...boxes.map((box) => box.right)) - left + MARGIN_AROUND;
  const height = Math.max(...boxes.map((box) => box.bottom)) - top + MARGIN_AROUND;
  const sheet = s("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, "font-family": FONT });
  const paper = getComputedStyle(root.closest(".glassnet") ?? document.body).backgroundColor;
  sheet.append(s("rect", { width, height, fill: paper }));
  const pen = { sheet, left, top };
  for (const card of cards.length ? cards : [root]) drawElement(card, pen);
  return new XMLSerializer().serializeToString(sheet);
}

function isSeen(element) {
  return element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
}

function drawElement(element, pen) {
  if (element.matches(".control:not(:has(canvas)), .mini, dialog, .tip, [data-testid=show-output]") || !isSeen(element)) return;
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  if (element instanceof SVGSVGElement) return pen.sheet.append(copyDrawing(element, box, pen));
  drawBox(box, style, pen);
  if (element instanceof HTMLCanvasElement) return drawCanvas(element, box, pen);
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) drawText(child, style, pen);
    else if (child.nodeType === Node.ELEMENT_NODE) drawElement(child, pen);
  }
}

/** Draw background, border, and the shadows without blur that serve as frames. */
function drawBox({ left, top, width, height }, style, pen) {
  if (!width || !height) return;
  const radius = Math.min(parseFloat(style.borderTopLeftRadius) * (style.borderTopLeftRadius.endsWith("%") ? width / 100 : 1) || 0, width / 2);
  const rect = (grow, attributes) => pen.sheet.append(s("rect", {
    x: left - pen.left - grow, y: top - pen.top - grow, width: width + 2 * grow, height: height + 2 * grow,
    rx: radius ? radius + grow : 0, ...attributes,
  }));
  const shadows = [...style.boxShadow.matchAll(/(rgba?\([^)]*\)|color\([^)]*\)) 0px 0px 0px ([\d.]+)px/g)];
  for (const [, colour, spread] of shadows.reverse()) rect(Number(spread), { fill: colour });
  const border = parseFloat(style.borderTopWidth);
  const line = border && !/, 0\)$/.test(style.borderTopColor) && { stroke: style.borderTopColor, "stroke-width": border };
  const fill = /, 0\)$|transparent/.test(style.backgroundColor) ? "none" : style.backgroundColor;
  if (line && parseFloat(style.borderBottomWidth)) rect(-border / 2, { fill, ...line });
  else if (fill !== "none") rect(0, { fill });
  if (line && !parseFloat(style.borderBottomWidth)) {
    const [x1, y] = [left - pen.left, top - pen.top];
    pen.sheet.append(s("line", { x1, x2: x1 + width, y1: y, y2: y, ...line }));
  }
}

function drawCanvas(canvas, { left, top, width, height }, pen) {
  if (!canvas.width || !canvas.height) return;
  const { imageRendering, opacity } = getComputedStyle(canvas);
  pen.sheet.append(s("image", {
    x: left - pen.left, y: top - pen.top, width, height, href: canvas.toDataURL("image/png"), preserveAspectRatio: "none",
    "image-rendering": imageRendering, opacity,
  }));
}

/** Copy a drawing with the styles that a style sheet gave it. */
function copyDrawing(drawing, { left, top, width, height }, pen) {
  const copy = drawing.cloneNode(true);
  const [originals, copies] = [drawing, copy].map((from) => [from, ...from.querySelectorAll("*")]);
  originals.forEach((original, i) => {
    const style = getComputedStyle(original);
    if (style.display === "none" || style.visibility === "hidden") return copies[i].setAttribute("display", "none");
    for (const name of DRAWN) copies[i].setAttribute(name, style.getPropertyValue(name));
    for (const name of ["class", "data-testid", "tabindex"]) copies[i].removeAttribute(name);
  });
  for (const [name, value] of Object.entries({ x: left - pen.left, y: top - pen.top, width, height, overflow: "visible" })) {
    copy.setAttribute(name, value);
  }
  return copy;
}

/** Draw a text node line by line, as it was broken into lines. */
function drawText(node, style, pen) {
  for (const { text, box } of linesOf(node)) {
    const size = parseFloat(style.fontSize);
    pen.sheet.append(s("text", {
      x: box.left - pen.left, y: box.top - pen.top + box.height / 2 + 0.35 * size, textLength: box.width,
      lengthAdjust: "spacingAndGlyphs", fill: style.color, "font-size": size, "font-weight": style.fontWeight,
      "font-style": style.fontStyle,
    }, text));
  }
}

function linesOf(node) {
  const lines = [];
  const range = document.createRange();
  for (const { index, 0: word } of node.textContent.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const box = range.getBoundingClientRect();
    const last = lines.at(-1);
    if (!box.width) continue;
    if (last && Math.abs(last.box.top - box.top) < 2) {
      last.text += ` ${word}`;
      last.box = new DOMRect(last.box.left, last.box.top, box.right - last.box.left, last.box.height);
    } else lines.push({ text: word, box });
  }
  return lines;
}
