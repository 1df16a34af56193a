"""The progress bar of ``verbose=True``: what a terminal shows, and nothing elsewhere."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from rich.console import Console

from glassnet import MLPClassifier
from glassnet.errors import DivergedError
from glassnet.training import progress

X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)
NET = {"hidden_layer_sizes": (3,), "max_iter": 7, "tol": None, "random_state": 0}
SHOW_CURSOR = "\x1b[?25h"


def watched(monkeypatch, terminal, screen, **parameters):
    """Fit under a bar that writes to ``screen``."""
    monkeypatch.setattr(progress, "Console", lambda stderr: Console(file=screen, force_terminal=terminal, width=100))
    return MLPClassifier(**{**NET, **parameters}, verbose=True).fit(X, y)


@pytest.mark.parametrize("batch_size", [8, 40])
def test_bar_ends_at_the_last_epoch_and_shows_the_loss(monkeypatch, batch_size):
    screen = io.StringIO()
    watched(monkeypatch, True, screen, batch_size=batch_size)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert re.search(r"epoch .* 7/7 loss 0\.\d+", text)


def test_silent_without_a_terminal_and_changes_nothing(monkeypatch):
    screen = io.StringIO()
    net = watched(monkeypatch, False, screen, batch_size=8)
    assert screen.getvalue() == ""
    alone = MLPClassifier(**NET, batch_size=8).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), alone.predict_proba(X))


def test_cursor_is_given_back_when_the_fit_fails(monkeypatch):
    screen = io.StringIO()
    with pytest.raises(DivergedError):
        watched(monkeypatch, True, screen, solver="sgd", learning_rate_init=1e35)
    assert screen.getvalue().endswith(SHOW_CURSOR)


def test_classes_are_counted_and_samples_timed(monkeypatch):
    from torch import nn

    from glassnet import ModuleClassifier

    screen = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=120))
    net = ModuleClassifier(nn.Linear(2, 2), max_iter=60, tol=None, learning_rate_init=0.1, random_state=0, verbose=True)
    net.fit(X, y)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    shown = re.findall(r"60/60 loss (\S+)\s+accuracy (\S+)%\s+([\d,]+) samples/s", text)[-1]
    assert float(shown[0]) < 0.7
    assert 50 < float(shown[1]) <= 100
    assert int(shown[2].replace(",", "")) > 0
