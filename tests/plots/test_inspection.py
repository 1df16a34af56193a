"""Every picture that applies to a network, in one page that asks nothing of the network."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
import torch
from torch import nn

from glassnet.data import load
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.inspect.trace import trace
from glassnet.networks.mlp import MLPClassifier
from glassnet.plots.attention import AttentionDisplay
from glassnet.plots.inspection import INSPECTIONS, Subject, not_finite, write_inspection
from glassnet.plots.style import THEMES
from glassnet.registry import PLOTS


@pytest.fixture(scope="module")
def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5)).eval()


def embedded(page):
    found = re.findall(r'class="(\w+)" alt="([\w-]+)" src="data:image/svg\+xml;base64,([^"]+)"', page)
    return {(name, theme): base64.b64decode(data) for theme, name, data in found}


def test_a_module_gives_a_page_of_its_own_pictures(convolutional, tmp_path):
    told = []
    subject = Subject("mine.py:net", convolutional, (torch.randn(1, 3, 8, 8),), facts=["Random <input>."])
    only = ["layer-tensors", "signal", "filters", "feature-maps", "activation-histogram"]
    written, refused = write_inspection(subject, tmp_path, only, lambda name, done: told.append((name, done)))
    assert refused == {}
    assert told == [(name, i / 5) for i, name in enumerate(only)]
    assert {path.name for path in written} == {"index.html", *(f"{n}-{t}.svg" for n in only for t in THEMES)}
    page = (tmp_path / "index.html").read_text()
    images = embedded(page)
    assert images.keys() == {(name, theme) for name in only for theme in THEMES}
    for (name, theme), data in images.items():
        assert data == (tmp_path / f"{name}-{theme}.svg").read_bytes()
    assert "http" not in re.sub(r"base64,[^\"]+", "", page)
    assert "Random &lt;input&gt;." in page
    assert "Conv2d" in page


def test_what_does_not_apply_is_said(convolutional, tmp_path):
    subject = Subject("net", convolutional, (torch.randn(1, 3, 8, 8),))
    with pytest.raises(
        InvalidInputError, match=r"'attention' does not apply: No layer of this trace attends\. Those"
    ) as e:
        write_inspection(subject, tmp_path, ["attention", "filters"])
    fitting = str(e.value).split("Those that do: ")[1].rstrip(".").split(", ")
    assert {"filters", "feature-maps", "module-graph", "gradient-flow", "layer-tensors"} <= set(fitting)
    assert not {"embedding", "wiring", "confusion-matrix", "attention"} & set(fitting)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UnknownNameError, match="Did you mean 'filters'"):
        write_inspection(subject, tmp_path, ["filter"])
    assert set(PLOTS) >= set(INSPECTIONS)


def test_a_dense_estimator_with_its_data(tmp_path):
    d = load("digits")
    net = MLPClassifier((6,), max_iter=3, tol=None, random_state=0).fit(d.X_train, d.y_train)
    X, y = d.X_test[:40], d.y_test[:40]
    subject = Subject("digits", net, (X,), X, y, d.image_shape, d.target_names, ())
    only = ["class-probabilities", "wiring", "filters", "activation-histogram", "embedding", "confusion-matrix"]
    _, refused = write_inspection(subject, tmp_path, only)
    assert refused == {}
    display = INSPECTIONS["class-probabilities"][0](subject)
    assert np.allclose(sorted(display.probabilities), sorted(net.predict_proba(X[:1])[0]))
    embedding = INSPECTIONS["embedding"][0](subject)
    assert [layer.name for layer in embedding.layers] == ["hidden1", "output"]
    assert np.array_equal(embedding.labels, y)


def test_attention_of_a_module():
    torch.manual_seed(0)
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).eval()
    x = torch.randn(1, 130, 8)
    display = INSPECTIONS["attention"][0](Subject("encoder", model, (x,)))
    last = model.layers[1].self_attn
    h = model.layers[0](x)
    _, weights = last(h, h, h, average_attn_weights=False)
    assert list(display.weights) == ["head 0", "head 1"]
    np.testing.assert_allclose(display.weights["head 1"], weights[0, 1, :128, :128].detach(), rtol=1e-4, atol=1e-6)
    assert display.title == "layers.1.self_attn, 128 of 130 tokens"
    assert display.keys[-1] == "127"
    seen = trace(model, x)
    chosen = AttentionDisplay.from_trace(seen, "layers.0.self_attn", max_tokens=3, queries="abcd", style="lines")
    assert chosen.queries == ["a", "b", "c"]
    np.testing.assert_allclose(
        chosen.weights["head 0"], seen["layers.0.self_attn", 0, "attention"].numpy()[0, 0, :3, :3]
    )
    with pytest.raises(InvalidInputError, match="batch of 1, got 1"):
        AttentionDisplay.from_trace(seen, sample=1)
    with pytest.raises(UnknownNameError, match=r"Did you mean 'layers\.0"):
        AttentionDisplay.from_trace(seen, "layers.0.self_att")


def test_what_is_not_finite_is_named():
    class Bad(nn.Module):
        def forward(self, x):
            return x.log()

    model = nn.Sequential(nn.Identity(), Bad())
    (said,) = not_finite(Subject("bad", model, (torch.tensor([[1.0, -1.0]]),)))
    assert "1:log output" in said
    assert not_finite(Subject("good", model, (torch.ones(1, 2),))) == []
