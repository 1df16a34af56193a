// Colours come from styles.css; here they are read, and the colour map is made from three of them.

const CONTEXT = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** Return the colours that the theme gives: [red, green, blue] of each name. */
export function themeColours(element) {
  const probe = document.createElement("i");
  element.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return toRgb(getComputedStyle(probe).color);
  };
  const colours = Object.fromEntries(["negative", "zero", "positive", "point-edge"].map((name) => [name, read(name)]));
  probe.remove();
  return colours;
}

function toRgb(css) {
  CONTEXT.fillStyle = css;
  CONTEXT.fillRect(0, 0, 1, 1);
  return [...CONTEXT.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/**
 * Return the diverging colour map as 256 packed RGBA values: 0 is negative, 128 zero, 255 positive.
 * `strength` below 1 makes it paler, so that points stand out on it; `isTwofold` leaves only the sign.
 */
export function colourMap({ negative, zero, positive }, { strength = 1, isTwofold = false } = {}) {
  const map = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const level = isTwofold ? (i < 128 ? -1 : 1) : (i - 127.5) / 127.5;
    const end = level < 0 ? negative : positive;
    const [r, g, b] = zero.map((from, k) => Math.round(from + strength * Math.abs(level) * (end[k] - from)));
    map[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return map;
}

/** Return the CSS colour of `value` between -1 and 1. */
export function cssColour(map, value) {
  const rgba = map[Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, value)))];
  return `rgb(${rgba & 255} ${(rgba >> 8) & 255} ${(rgba >> 16) & 255})`;
}

/** Call `listener` when the theme changes: by the system, by the button, or by a notebook, which sends the event. */
export function onThemeChange(listener) {
  addEventListener("themechange", listener);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);
  new MutationObserver(listener).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
