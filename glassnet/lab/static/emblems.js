// A small drawing for each year of the history: lines, then dots as "x y radius kind".

import { s } from "./dom.js";

const EMBLEMS = {
  1943: {
    lines: "M12 12 46 30M12 32H44M12 52 46 34M66 32H86M80 27l6 5-6 5M46 38H55V26H64",
    rings: "55 32 15 plain", dots: "12 12 4 positive,12 32 4 positive,12 52 4 negative",
  },
  1958: {
    lines: "M22 58 74 6",
    dots: "18 14 4 positive,32 24 4 positive,24 36 4 positive,44 12 4 positive," +
      "54 44 4 negative,68 34 4 negative,76 52 4 negative,82 22 4 negative",
  },
  1960: {
    lines: "M12 8C24 74 72 74 84 8", dots: "18.5 28 3 accent,26 43 3.4 accent,36 53 3.8 accent,48 57 4.6 accent",
  },
  1969: {
    lines: "M40 10H10V54H40V22H22V42H30M86 10H56V54H86V40M86 32V22H68V42H76",
  },
  1982: {
    lines: "M4 12C12 60 24 62 32 38S46 20 54 40S74 64 92 8", dots: "22 48 5 accent", rings: "66 50 5 faint",
  },
  1986: {
    lines: "M16 20 46 14M16 20 46 32M16 20 46 50M16 46 46 14M16 46 46 32M16 46 46 50M46 14 78 32M46 32H78M46 50 78 32",
    arrow: "M82 46C66 62 40 64 20 58M26 54l-6 4 5 6",
    dots: "16 20 5 positive,16 46 5 negative,46 14 5 positive,46 32 5 negative,46 50 5 positive,78 32 6 accent",
  },
  1987: {
    lines: "M8 54H88M8 54C30 30 34 16 34 10M88 54C66 30 62 16 62 10M34 12C44 34 52 34 62 12M34 10V58M62 10V58",
    dots: "48 46 3 accent,42 49 2.4 accent,54 49 2.4 accent,22 49 2.4 accent,74 49 2.4 accent",
  },
  1992: {
    lines: "M30 60 70 4", arrow: "M16 56 50 8M46 60 82 10",
    dots: "18 18 3.6 positive,12 34 3.6 positive,38 25 4 positive,26 42 4 positive," +
      "64 35 4 negative,76 44 3.6 negative,84 30 3.6 negative,70 56 3.6 negative",
    rings: "38 25 7 faint,26 42 7 faint,64 35 7 faint",
  },
  1998: {
    lines: "M8 12h34v34H8zM50 18h20v20H50zM54 22h20v20H54zM80 20v24M20 20h12l-8 18",
    arrow: "M28 22h12v12H28zM40 22 56 24M40 34 56 28", dots: "80 20 2.5 accent,80 28 2.5 accent,80 36 3.5 positive,80 44 2.5 accent",
  },
  2000: {
    lines: "M28 6h28l12 12v40H28zM56 6v12h12M36 34h24M36 42h24M36 50h14", arrow: "M34 25H62",
  },
  2006: {
    lines: "M20 54 30 32M36 54 30 32M36 54 48 32M52 54 48 32M52 54 66 32M68 54 66 32M30 32 40 10M48 32 40 10M48 32 58 10M66 32 58 10",
    dots: "20 54 4.5 positive,36 54 4.5 negative,52 54 4.5 positive,68 54 4.5 negative," +
      "30 32 4.5 negative,48 32 4.5 positive,66 32 4.5 positive,40 10 4.5 accent,58 10 4.5 accent",
  },
  2012: {
    lines: "M6 10h20v20H6zM6 34h20v20H6zM34 14h12v14H34zM34 36h12v14H34zM54 16h9v12h-9zM54 36h9v12h-9zM72 8v20M72 36v20M84 16v32",
    arrow: "M26 20h8M26 44h8M46 21h8M46 43h8M63 22h9M63 42h9M46 26 54 38M46 38 54 26",
  },
  2013: {
    dots: "20 20 3.6 positive,28 14 3.6 positive,30 25 3.6 positive,18 30 3.6 positive,38 18 3.6 positive," +
      "66 18 3.6 negative,76 24 3.6 negative,72 12 3.6 negative,82 16 3.6 negative," +
      "44 48 3.6 accent,54 52 3.6 accent,50 42 3.6 accent,60 46 3.6 accent,38 54 3.6 accent",
  },
  2015: {
    lines: "M8 44h14M22 34h18v20H22zM40 44h12M52 34h18v20H52zM70 44h5M81 44h11", arrow: "M15 44C15 6 78 6 78 38M73 32l5 7 5-7",
    rings: "78 44 4 plain",
  },
  2017: {
    lines: "M14 50 14 14M34 50 34 14M54 50 54 14", arrow: "M74 50 14 14M74 50 34 14M74 50 54 14",
    dots: "14 14 5 positive,34 14 3.5 positive,54 14 4.5 positive,14 52 3.5 negative,34 52 3.5 negative,54 52 3.5 negative,74 52 5 accent",
  },
};

/** Return the drawing that belongs to a year. */
export function emblem(year) {
  const { lines, arrow, dots = "", rings = "" } = EMBLEMS[year] ?? {};
  const circles = (list, look) => list.split(",").filter(Boolean).map((text) => {
    const [cx, cy, r, kind] = text.split(" ");
    return s("circle", { cx, cy, r, class: `${look} ${kind}` });
  });
  return s("svg", { viewBox: "0 0 96 64", class: "emblem", "aria-hidden": "true" },
    lines && s("path", { d: lines }), arrow && s("path", { d: arrow, class: "arrow" }),
    circles(rings, "ring"), circles(dots, "dot"));
}
