"""One HTML file that holds pictures, light and dark, and asks nothing of the network."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glassnet.plots.style import THEMES, Theme


@dataclass
class Figure:
    """A picture in a page.

    Parameters
    ----------
    name, caption : str
    images : dict of str to bytes
        Theme -> SVG.
    """

    name: str
    caption: str
    images: Mapping[str, bytes]


def page(title: str, facts: Sequence[str], figures: Sequence[Figure], refused: Mapping[str, str], table: str) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
    facts : sequence of str
        Lines below it.
    figures : sequence of Figure
    refused : mapping of str to str
        Pictures that do not apply, and why.
    table : str
        The layers as text.

    Examples
    --------
    >>> figure = Figure("signal", "One input.", {"light": b"<svg/>", "dark": b"<svg/>"})
    >>> text = page("a net", ["3 < 4"], [figure], {}, "")
    >>> text.count("data:image/svg+xml"), "3 &lt; 4" in text
    (2, True)
    """
    links = " ".join(f'<a href="#{f.name}">{f.name}</a>' for f in figures)
    parts = [
        f"<header><h1>{html.escape(title)}</h1>",
        *(f"<p>{html.escape(fact)}</p>" for fact in facts),
        f'<nav>{links} <button type="button" data-testid="theme">light / dark</button></nav></header>',
        *map(_figure, figures),
        f"<section><h2>Layers</h2><pre>{html.escape(table)}</pre></section>" if table else "",
        _refused(refused),
    ]
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
<style>
{_STYLE}
{_colors(THEMES["light"], ":root")}
@media (prefers-color-scheme: dark) {{ {_colors(THEMES["dark"], ":root")} {_SHOW_DARK.format("")} }}
{_colors(THEMES["light"], ':root[data-theme="light"]')} {_SHOW_LIGHT}
{_colors(THEMES["dark"], ':root[data-theme="dark"]')} {_SHOW_DARK.format('[data-theme="dark"]')}
</style>
{chr(10).join(filter(None, parts))}
<script>
document.querySelector("button").onclick = () => {{
  const dark = document.documentElement.dataset.theme ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = dark === "dark" ? "light" : "dark";
}};
</script>
</html>
"""


_STYLE = """body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; font: 1.1rem/1.4 sans-serif;
  color: var(--ink); background: var(--paper) }
h1 { font-size: 1.8rem } h2 { font-size: 1.3rem; margin: 0 } p { margin: .3rem 0 }
a { color: var(--positive); margin-right: .8rem } button { font: inherit; color: inherit; background: var(--panel);
  border: 1px solid var(--grid); border-radius: .3rem; cursor: pointer }
figure { margin: 2.5rem 0 } figcaption p, section p { color: var(--muted) }
figure img { width: 100%; max-height: 92vh; object-fit: contain; object-position: left }
pre { overflow-x: auto; background: var(--panel); padding: .8rem; font-size: .9rem } .dark { display: none }"""
_SHOW_DARK = ":root{0} .dark {{ display: block }} :root{0} .light {{ display: none }}"
_SHOW_LIGHT = ':root[data-theme="light"] .dark { display: none } :root[data-theme="light"] .light { display: block }'


def _colors(theme: Theme, where: str) -> str:
    names = ("paper", "panel", "ink", "muted", "grid", "positive")
    return f"{where} {{ {' '.join(f'--{name}: {getattr(theme, name)};' for name in names)} }}"


def _figure(figure: Figure) -> str:
    images = "".join(
        f'<img class="{theme}" alt="{html.escape(figure.name)}" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(data).decode()}">'
        for theme, data in figure.images.items()
    )
    caption = f"<figcaption><h2>{html.escape(figure.name)}</h2><p>{html.escape(figure.caption)}</p></figcaption>"
    return f'<figure id="{html.escape(figure.name)}">{caption}{images}</figure>'


def _refused(refused: Mapping[str, str]) -> str:
    lines = "".join(f"<p>{html.escape(name)}: {html.escape(reason)}</p>" for name, reason in refused.items())
    return f"<section><h2>Pictures that do not apply</h2>{lines}</section>" if lines else ""
