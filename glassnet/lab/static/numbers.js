// Numbers as text, the same everywhere.

const LARGE_LOSS = 10000;

/** 1234567 -> "1,234,567" */
export function wholeNumber(value) {
  return value.toLocaleString("en-US");
}

/** A loss, a weight: a fixed number of decimals, with a true minus sign. */
export function decimal(value, digits = 2) {
  return value.toFixed(digits).replace("-", "\u2212");
}

/** An axis tick: 0.25, 50, 12k, 3M */
export function shortNumber(value) {
  if (value >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (value >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  return `${+value.toPrecision(3)}`;
}

/** A loss; null is what JSON cannot say: infinity. */
export function lossText(loss) {
  if (loss === null) return "\u221e";
  return loss < LARGE_LOSS ? loss.toFixed(4) : loss.toExponential(3);
}
