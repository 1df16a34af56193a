// The header's buttons: light or dark, large type. What a visitor chose is remembered by the browser.

import { h, icon } from "./dom.js";

const HALF_CIRCLE = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2v14a7 7 0 0 1 0-14z";
const LETTERS = "M3 18 8 6l5 12M4.7 14h6.6M14.5 18l3.2-8 3.3 8M15.6 15.4h4.2";

/** Return the buttons, and apply what was chosen before. */
export function headerButtons(texts) {
  const root = document.documentElement;
  const { theme, large } = readChoices();
  if (theme) root.dataset.theme = theme;
  root.classList.toggle("large", large);
  const type = h("button", {
    type: "button", class: "quiet square", testid: "large-type", title: texts.largeType, "aria-label": texts.largeType,
    "aria-pressed": large, onclick: () => {
      type.setAttribute("aria-pressed", root.classList.toggle("large"));
      writeChoices();
      dispatchEvent(new Event("resize"));
    },
  }, icon(LETTERS));
  const light = h("button", {
    type: "button", class: "quiet square", testid: "theme", title: texts.theme, "aria-label": texts.theme,
    onclick: () => {
      const isDark = (root.dataset.theme ?? systemTheme()) === "dark";
      root.dataset.theme = isDark ? "light" : "dark";
      writeChoices();
    },
  }, icon(HALF_CIRCLE));
  return [type, light];
}

function systemTheme() {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function readChoices() {
  try {
    return { large: false, ...JSON.parse(localStorage.getItem("glassnet") ?? "{}") };
  } catch {
    return { large: false };
  }
}

function writeChoices() {
  const root = document.documentElement;
  const choices = { theme: root.dataset.theme, large: root.classList.contains("large") };
  try {
    localStorage.setItem("glassnet", JSON.stringify(choices));
  } catch {
    // storage is forbidden: the choice holds for this page
  }
}
