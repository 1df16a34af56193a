"""Every picture once, of small networks trained on real data: ``python -m glassnet.plots.gallery OUT``.

This module and those named after it know networks and data: the pictures know neither.
"""

from __future__ import annotations

import argparse
import html
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from glassnet.errors import UnknownNameError
from glassnet.files import write_whole
from glassnet.plots import gallery_deep, gallery_dense, gallery_films, gallery_layers, gallery_texts
from glassnet.plots.display import Display
from glassnet.plots.film import FORMATS as FILM_FORMATS
from glassnet.plots.style import THEMES

PICTURES: dict[str, Callable[[], Display]] = {
    **gallery_dense.PICTURES,
    **gallery_deep.PICTURES,
    **gallery_layers.PICTURES,
    **gallery_texts.PICTURES,
}
FILMS: dict[str, Callable[[], Display]] = gallery_films.FILMS


def write_gallery(
    folder: str | Path, names: list[str] | None = None, formats: tuple[str, ...] = ("png",)
) -> list[Path]:
    """Write pictures in both themes, and a page that shows them.

    Parameters
    ----------
    folder : str or Path
        Where to; made if missing.
    names : list of str, optional
        Keys of `PICTURES` and `FILMS`; all if None.
    formats : tuple of str
        Of "svg", "pdf", "png"; films are GIFs, and pages with a slider.

    Returns
    -------
    list of Path
        The pictures written.
    """
    folder, written = Path(folder), []
    names = [*PICTURES, *FILMS] if names is None else names
    made = [(name, resolve_picture(name)) for name in names]
    console = Console(stderr=True)
    for name, make in track(made, "pictures", console=console, disable=not console.is_terminal):
        display = make()
        save = display.animate if name in FILMS else display.save
        kinds = FILM_FORMATS if name in FILMS else formats
        written += [save(folder / f"{name}-{theme}.{kind}", theme=theme) for theme in THEMES for kind in kinds]
    write_whole(folder / "index.html", page(names, formats[0]).encode())
    return written


def resolve_picture(name: str) -> Callable[[], Display]:
    """Return what draws the picture of this name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    every = PICTURES | FILMS
    if name not in every:
        raise UnknownNameError("picture", name, every)
    return every[name]


def page(names: list[str], kind: str) -> str:
    """Return a page that shows each picture and film in the reader's theme."""
    light, dark = THEMES["light"], THEMES["dark"]
    figures = "\n".join(
        f'<figure><picture><source srcset="{n}-dark.{k}" media="(prefers-color-scheme: dark)">'
        f'<img src="{n}-light.{k}" alt="{html.escape(n)}" loading="lazy"></picture>'
        f"<figcaption>{html.escape(n)}</figcaption></figure>"
        for n in names
        for k in ["gif" if n in FILMS else kind]
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>glassnet: gallery</title>
<style>
body {{ margin: 2rem; font-family: sans-serif; color: {light.ink}; background: {light.paper};
  display: flex; flex-wrap: wrap; gap: 2rem; align-items: end }}
figure {{ margin: 0 }} img {{ max-width: 40rem; width: 100% }} figcaption {{ color: {light.muted} }}
@media (prefers-color-scheme: dark) {{ body {{ color: {dark.ink}; background: {dark.paper} }}
  figcaption {{ color: {dark.muted} }} }}
</style>
{figures}
</html>
"""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m glassnet.plots.gallery", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--only", nargs="+", choices=sorted(PICTURES | FILMS), metavar="NAME", help="names of pictures")
    parser.add_argument("--format", nargs="+", default=["png"], choices=["svg", "pdf", "png"], dest="formats")
    options = parser.parse_args()
    for path in write_gallery(options.out, options.only, tuple(options.formats)):
        print(path)


if __name__ == "__main__":
    main()
