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

const RAISED = { "-": "\u207b", 0: "\u2070", 1: "\u00b9", 2: "\u00b2", 3: "\u00b3" };

/** A power of ten: 10\u207b\u2075 */
export function powerOfTen(exponent) {
  const raised = (character) => RAISED[character] ?? String.fromCharCode(0x2070 + Number(character));
  return `10${[...String(exponent)].map(raised).join("")}`;
}

/** A number of any size with three digits: 0.0123, 4.56\u00b710\u207b\u2077 */
export function anySize(value) {
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -3 && exponent < 5) return String(+value.toPrecision(3)).replace("-", "\u2212");
  const [mantissa, power] = value.toExponential(2).split("e");
  return `${mantissa.replace("-", "\u2212")}\u00b7${powerOfTen(Number(power))}`;
}
