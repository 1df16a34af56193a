"""Attention: who looks at whom, as a matrix or as lines between the tokens, head by head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.inspect.token_attention import TokenAttention
from glassnet.plots.display import Display
from glassnet.plots.style import FONT, SMALL, Theme, panels, put_text, use_axes, use_blank, use_colorbar
from glassnet.plots.traced import as_array, call_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.inspect.traced import Trace

STYLES = ("matrix", "lines")
PARTS = ("encoder", "decoder", "cross")
MOST_TOKENS = 128  # that can be read
COLUMNS = 4  # panels beside each other
FAINT = 0.02  # a weight below is not drawn as a line


@dataclass
class AttentionDisplay(Display):
    """Attention weights between tokens, a panel for each head.

    Parameters
    ----------
    queries, keys : list of str
        The tokens that look, and those that are looked at.
    weights : dict of str to ndarray of shape (queries, keys)
        By the panel's title; each row sums to 1.
    style : {"matrix", "lines"}
        Squares as dark as the weight, a row per query; or lines as thick as the weight, from each
        query on the left to the keys on the right.
    from_query : int, optional
        Lines are drawn from this query only.
    title : str

    Examples
    --------
    >>> attention = TokenAttention(["it"], ["animal", "street"], np.array([[[[0.75, 0.25]]]]))
    >>> display = AttentionDisplay.from_attention(attention)
    >>> {name: w.tolist() for name, w in display.weights.items()}
    {'layer 0, head 0': [[0.75, 0.25]]}
    """

    queries: list[str]
    keys: list[str]
    weights: dict[str, np.ndarray]
    style: str = "matrix"
    from_query: int | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise UnknownNameError("style of attention", self.style, STYLES)
        expected = (len(self.queries), len(self.keys))
        for name, weights in self.weights.items():
            if weights.shape != expected:
                raise InvalidInputError(f"{name!r} has weights of shape {weights.shape}, for tokens {expected}.")
        if self.from_query is not None and not 0 <= self.from_query < len(self.queries):
            raise InvalidInputError(f"from_query={self.from_query}; allowed: 0 to {len(self.queries) - 1}")

    @classmethod
    def from_attention(
        cls, attention: TokenAttention, layer: int = -1, heads: Sequence[int] | str = "all", **look: Any
    ) -> AttentionDisplay:
        """Take heads of one layer.

        Parameters
        ----------
        attention : TokenAttention
        layer : int, default=-1
            Layers count from 0; -1 is the last.
        heads : sequence of int, "all" or "mean"
            "mean": one panel, of the mean over the heads.
        **look
            ``style``, ``from_query``, ``title``.

        Raises
        ------
        InvalidInputError
            If there is no such layer or head.
        """
        n = layer % attention.n_layers if -attention.n_layers <= layer else layer
        if heads == "mean":
            weights = {f"layer {n}, mean of {attention.n_heads} heads": attention.head(layer)}
        else:
            chosen = range(attention.n_heads) if isinstance(heads, str) else heads
            weights = {f"layer {n}, head {head}": attention.head(layer, head) for head in chosen}
        return cls(shown(attention.queries), shown(attention.keys), weights, **look)

    @classmethod
    def from_translator(
        cls, translator: Any, source: str, target: str | None = None, part: str = "cross", **how: Any
    ) -> AttentionDisplay:
        """Take what a translator looks at in one translation.

        Parameters
        ----------
        translator : Translator
        source : str
        target : str, optional
            Its translation; the translator's own if not given.
        part : {"encoder", "decoder", "cross"}
            Source to source, target to target, or target to source.
        **how
            As in `from_attention`.

        Raises
        ------
        UnknownNameError
            If there is no such part.
        """
        if part not in PARTS:
            raise UnknownNameError("attention of a translator", part, PARTS)
        return cls.from_attention(getattr(translator.attention(source, target), part), **how)

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        layer: str | None = None,
        *,
        sample: int = 0,
        queries: Sequence[str] | None = None,
        keys: Sequence[str] | None = None,
        max_tokens: int = MOST_TOKENS,
        **look: Any,
    ) -> AttentionDisplay:
        """Take every head of one layer of any traced module.

        Parameters
        ----------
        trace : Trace
        layer : str, optional
            Its address; the last call that attends unless given.
        sample : int
            Row of the batch.
        queries, keys : sequence of str, optional
            The tokens; numbers from 0 unless given.
        max_tokens : int
            How many of them to draw; the title says so if there are more.
        **look
            ``style``, ``from_query``.

        Raises
        ------
        UnknownNameError
            If there is no such layer; the nearest name is offered.
        InvalidInputError
            If no attention was recorded, or there is no such sample.
        """
        calls = [call for call in (trace.calls if layer is None else [trace.call(layer)]) if "attention" in call.values]
        if not calls:
            raise InvalidInputError(f"{'No layer' if layer is None else f'Layer {layer!r}'} of this trace attends.")
        weights = as_array(calls[-1].values["attention"])  # (batch, head, query, key), or without batch
        weights = weights if weights.ndim == 4 else weights[None]
        if not -len(weights) <= sample < len(weights):
            raise InvalidInputError(f"sample takes a row of the batch of {len(weights)}, got {sample}.")
        heads = weights[sample][:, :max_tokens, :max_tokens]
        looking, looked_at = (
            [str(token) for token in (given if given is not None else range(n))][:max_tokens]
            for given, n in ((queries, heads.shape[1]), (keys, heads.shape[2]))
        )
        longest = max(weights.shape[2:])
        title = call_name(calls[-1]) + (f", {max_tokens} of {longest} tokens" if longest > max_tokens else "")
        return cls(looking, looked_at, {f"head {i}": head for i, head in enumerate(heads)}, title=title, **look)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of panels."""
        return ceil(len(self.weights) / COLUMNS), min(COLUMNS, len(self.weights))

    def _size(self) -> tuple[float, float]:
        rows, columns = self.shape
        if self.style == "lines":
            return 2.6 * columns + 0.4, rows * (0.7 + 0.2 * max(len(self.queries), len(self.keys)))
        width, height = 0.19 * len(self.keys) + 0.3, 0.19 * len(self.queries) + 0.3
        return columns * width + 2.2, rows * (height + 0.3) + 1.0

    def _draw(self, ax: Axes, theme: Theme) -> None:
        rows, columns = self.shape
        grid = panels(ax, rows, columns)
        if self.title:
            use_axes(ax, theme, self.title)
        for panel in grid.ravel()[len(self.weights) :]:
            panel.set_axis_off()
        draw = self._draw_lines if self.style == "lines" else self._draw_matrix
        for i, (panel, (name, weights)) in enumerate(zip(grid.ravel(), self.weights.items(), strict=False)):
            image = draw(panel, theme, name, weights, i)
        if self.style == "matrix":
            share = min(1.0, 20 / (rows * len(self.queries)))  # a bar no longer than twenty rows
            use_colorbar(list(grid.ravel()), image, theme, "attention weight", shrink=share)

    def _draw_matrix(self, ax: Axes, theme: Theme, name: str, weights: np.ndarray, i: int) -> Any:
        _, columns = self.shape
        use_axes(ax, theme, ylabel="query" if i % columns == 0 else "", xlabel="key")
        ax.set_title(name, color=theme.ink, fontsize=SMALL, family=FONT)
        image = ax.imshow(weights, cmap=theme.amount_map(), vmin=0, vmax=1, aspect="equal", interpolation="nearest")
        ax.set_xticks(range(len(self.keys)), self.keys, rotation=90)
        ax.set_yticks(range(len(self.queries)), self.queries if i % columns == 0 else [""] * len(self.queries))
        ax.tick_params(length=0)
        return image

    def _draw_lines(self, ax: Axes, theme: Theme, name: str, weights: np.ndarray, i: int) -> None:
        use_blank(ax, theme, equal=False)
        ax.set_title(name, color=theme.ink, fontsize=SMALL, family=FONT)
        longest = max(len(self.queries), len(self.keys))
        ax.set(xlim=(-1.0, 2.0), ylim=(longest - 0.5, -0.5))
        for side, tokens, align in ((-0.06, self.queries, "right"), (1.06, self.keys, "left")):
            for place, token in enumerate(tokens):
                bold = side < 0 and place == self.from_query
                weight = "bold" if bold else "normal"
                put_text(ax, side, place, token, theme, ha=align, fontsize=SMALL, fontweight=weight)
        chosen = range(len(self.queries)) if self.from_query is None else [self.from_query]
        for query in chosen:
            for key, w in enumerate(weights[query].tolist()):
                if w > FAINT:
                    ax.plot([0, 1], [query, key], color=theme.color(i), alpha=w, linewidth=0.5 + 3 * w)


def shown(tokens: Sequence[str]) -> list[str]:
    """Return tokens as labels: a piece that goes on a word begins with a dot, white space has a sign.

    Examples
    --------
    >>> shown(["<begin>", "Two", " vi", "ew", "er", "s", ".", "\\n"])
    ['<begin>', 'Two', 'vi', '·ew', '·er', '·s', '.', '⏎']
    """
    labels = []
    for i, token in enumerate(tokens):
        text = token.strip(" ").replace("\n", "⏎").replace("\t", "⇥").replace("$", r"\$") or "␣"
        goes_on = i > 0 and token[:1].isalnum() and tokens[i - 1][-1:].isalnum()
        labels.append(f"·{text}" if goes_on else text)
    return labels
