"""Embeddings, loss surfaces and gradient flow against scikit-learn, formulas and autograd."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional as F

from glassnet.data import load
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.estimators.module import ModuleClassifier
from glassnet.inspect.history import History
from glassnet.inspect.trace import trace
from glassnet.networks.mlp import MLPClassifier
from glassnet.plots.embedding import EmbeddingDisplay
from glassnet.plots.gradient_flow import GradientFlowDisplay
from glassnet.plots.loss_surface import LossSurfaceDisplay
from glassnet.plots.replay import filters_of, mean_loss

rng = np.random.default_rng(0)
LABELS = np.arange(60) % 3
CLOUD = rng.normal(size=(60, 6)) + 4 * np.eye(6)[LABELS]


def texts(display):
    figure = Figure(figsize=display._size(), layout="constrained")
    display.plot(figure.subplots())
    figure.canvas.draw()
    legends = [t for ax in figure.axes if ax.get_legend() for t in ax.get_legend().get_texts()]
    return " ".join(t.get_text() for t in [*legends, *(t for ax in figure.axes for t in (ax.title, *ax.texts))])


def by_hand(X, points, k):
    """Return silhouette and trustworthiness from their definitions, sample by sample."""
    far, flat = (np.linalg.norm(A[:, None] - A[None], axis=-1) for A in (X, points))
    silhouettes, penalty, n = [], 0, len(X)
    for i in range(n):
        own = far[i][(LABELS[i] == LABELS) & (np.arange(n) != i)].mean()
        other = min(far[i][c == LABELS].mean() for c in range(3) if c != LABELS[i])
        silhouettes.append((other - own) / max(own, other))
        rank = np.argsort(np.argsort(np.where(np.arange(n) == i, -1, far[i])))
        near = np.argsort(np.where(np.arange(n) == i, np.inf, flat[i]))[:k]
        penalty += np.maximum(rank[near] - k, 0).sum()
    return np.mean(silhouettes), 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty


def test_principal_planes_and_their_measures():
    turned = CLOUD @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    display = EmbeddingDisplay.from_arrays({"a": CLOUD, "b": -turned}, LABELS)
    a, b = display.layers
    expected = PCA(2).fit_transform(CLOUD)
    np.testing.assert_allclose(np.abs(a.points), np.abs(expected), atol=1e-9)
    np.testing.assert_allclose(b.points, a.points, atol=1e-6)  # a turned cloud lies as the one before
    for layer, X in ((a, CLOUD), (b, -turned)):
        assert (layer.separation, layer.trustworthiness) == pytest.approx(by_hand(X, layer.points, 5))
    assert f"separation {a.separation:.3f}" in str(display)
    assert "trustworthiness" in texts(display)


def test_tsne_starts_where_the_layer_before_ended():
    display = EmbeddingDisplay.from_arrays({"a": CLOUD, "b": CLOUD + 1e-6}, LABELS, method="tsne")
    a, b = (layer.points for layer in display.layers)
    aligned = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    assert aligned > 0.9
    assert display.layers[0].trustworthiness > 0.9
    again = EmbeddingDisplay.from_arrays({"a": CLOUD}, LABELS, method="tsne").layers[0].points
    np.testing.assert_array_equal(a, again)


def test_labels_coarse_many_and_wrong():
    coarse = EmbeddingDisplay.from_arrays({"a": CLOUD}, LABELS, groups={0: "low", 1: "low", 2: "high"})
    assert coarse.names == ("high", "low")
    assert np.array_equal(coarse.labels, np.where(LABELS == 2, 0, 1))
    many = EmbeddingDisplay.from_arrays({"a": CLOUD}, np.arange(60) % 12)
    assert "2 more classes" in texts(many)
    with pytest.raises(InvalidInputError, match="no class for the labels 2"):
        EmbeddingDisplay.from_arrays({"a": CLOUD}, LABELS, groups={0: "low", 1: "low"})
    with pytest.raises(InvalidInputError, match="60 samples and 5 labels"):
        EmbeddingDisplay.from_arrays({"a": CLOUD}, LABELS[:5])
    with pytest.raises(UnknownNameError, match="method: 'umap'"):
        EmbeddingDisplay.from_arrays({"a": CLOUD}, LABELS, method="umap")


def test_samples_that_are_not_finite_are_left_out_and_said():
    broken = CLOUD.copy()
    broken[7, 2] = np.nan
    display = EmbeddingDisplay.from_arrays({"a": CLOUD, "b": broken}, LABELS)
    assert display.layers[1].n_not_finite == 1
    assert np.isnan(display.layers[1].points[7]).all()
    assert "1 samples not finite" in texts(display)


def test_embeddings_of_a_trace():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    display = EmbeddingDisplay.from_trace(trace(model, CLOUD), LABELS, ["0", "2"])
    assert [layer.name for layer in display.layers] == ["0", "2"]
    with torch.no_grad():
        h = model[0](torch.from_numpy(CLOUD)).numpy()
    np.testing.assert_allclose(np.abs(display.layers[0].points), np.abs(PCA(2).fit_transform(h)), atol=1e-9)
    with pytest.raises(InvalidInputError, match="for each of 5 labels"):
        EmbeddingDisplay.from_trace(trace(model, CLOUD), LABELS[:5])


def bowl(p):
    return float(p @ np.arange(1.0, len(p) + 1) * p.sum() + p @ p + 1)


def test_the_surface_is_the_loss_on_the_plane():
    path = np.cumsum(rng.normal(size=(9, 7)), axis=0)
    display = LossSurfaceDisplay.from_path(bowl, path, resolution=5)
    pca = PCA(2).fit(path)
    assert display.share == pytest.approx(pca.explained_variance_ratio_.sum())
    axes = pca.components_
    flat = (path - path[-1]) @ axes.T
    np.testing.assert_allclose(np.abs(display.path), np.abs(flat), atol=1e-9)
    np.testing.assert_allclose(display.true_loss, [bowl(p) for p in path])
    np.testing.assert_allclose(display.surface_loss, [bowl(path[-1] + f @ axes) for f in flat])
    signs = np.sign((display.path * flat).sum(axis=0))
    for i, j in ((0, 0), (1, 3), (4, 2)):
        here = path[-1] + display.u[j] * signs[0] * axes[0] + display.v[i] * signs[1] * axes[1]
        assert display.loss[i, j] == pytest.approx(bowl(here))
    assert display.path[-1] == pytest.approx([0, 0])
    assert f"{display.share:.1%} of the path's variance" in texts(display)


def test_straight_and_short_paths():
    line = np.outer(np.arange(4.0), np.ones(5))
    display = LossSurfaceDisplay.from_path(bowl, line, resolution=3)
    assert display.share == pytest.approx(1)
    assert np.isfinite(display.loss).all()
    with pytest.raises(InvalidInputError, match="at least two checkpoints"):
        LossSurfaceDisplay.from_path(bowl, line[:1])
    with pytest.raises(InvalidInputError, match="give filters"):
        LossSurfaceDisplay.from_path(bowl, line, directions="random")
    with pytest.raises(UnknownNameError, match="directions: 'pca'"):
        LossSurfaceDisplay.from_path(bowl, line, directions="pca")
    holes = LossSurfaceDisplay.from_path(lambda p: bowl(p) if p[0] < 2 else np.inf, line, resolution=5)
    assert np.isinf(holes.loss).any()
    texts(holes)


def test_random_directions_are_as_long_as_the_filters_and_leave_biases_alone():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    X, y = torch.randn(10, 1, 4, 4), torch.arange(10) % 3
    states = []
    for _ in range(3):
        states.append(copy.deepcopy(model.state_dict()))
        with torch.no_grad():
            for p in model.parameters():
                p += 0.1 * torch.randn_like(p)
    seen = []

    def loss(module):
        seen.append([p.detach().clone() for p in module.parameters()])  # weight, bias, weight, bias
        return F.cross_entropy(module(X), y)

    display = LossSurfaceDisplay.from_module(model, loss, states, directions="random", resolution=3, margin=0.0)
    order = list(states[-1])
    assert order == ["0.weight", "0.bias", "2.weight", "2.bias"]
    grid = {(float(u), float(v)): seen[3 + 3 * i + j] for i, v in enumerate(display.v) for j, u in enumerate(display.u)}
    u = float(display.u[-1])
    assert display.v[1] == pytest.approx(0)
    moved = [(a - b).double() for a, b in zip(grid[u, float(display.v[1])], states[-1].values(), strict=True)]
    for step, parameter in zip(moved, states[-1].values(), strict=True):
        if parameter.ndim == 1:
            assert not step.any()
            continue
        for f, g in zip(step, parameter, strict=True):
            assert float(f.norm()) == pytest.approx(u * float(g.norm()), rel=1e-4)
    for t, state in enumerate(states):
        other = copy.deepcopy(model)
        other.load_state_dict(state)
        assert display.true_loss[t] == pytest.approx(F.cross_entropy(other(X), y).item(), rel=1e-6)


@pytest.fixture(scope="module")
def fitted():
    d, history = load("digits"), History(every=5)
    net = MLPClassifier((6,), max_iter=2, batch_size=100, tol=None, random_state=0)
    return net.fit(d.X_train, d.y_train, observers=[history]), history, d.X_test[:60], d.y_test[:60]


def test_the_surface_of_a_recorded_fit(fitted):
    net, history, X, y = fitted
    before = net.state_.state_dict()
    display = LossSurfaceDisplay.from_history(net, history, X, y, resolution=4, max_checkpoints=4)
    assert display.steps[-1] == net.state_.step
    p = net.predict_proba(X)
    assert display.true_loss[-1] == pytest.approx(-np.log(p[np.arange(60), y]).mean(), rel=1e-6)
    assert display.surface_loss[-1] == pytest.approx(display.true_loss[-1], rel=1e-5)
    for name, array in before["arrays"].items():
        np.testing.assert_array_equal(net.state_.arrays[name], array)
    places = np.concatenate(filters_of(net))
    assert len(places) == 64 * 6 + 6 * 10
    with pytest.raises(InvalidInputError, match="does not know"):
        mean_loss(net, X, y + 5)
    with pytest.raises(InvalidInputError, match="0 snapshots"):
        LossSurfaceDisplay.from_history(net, History(), X, y)


def test_filters_of_modules_are_their_rows():
    X = rng.normal(size=(12, 1, 4, 4)).astype(np.float32)
    net = ModuleClassifier(
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3)), max_iter=1, tol=None
    )
    net.fit(X, np.arange(12) % 3)
    flat, (conv, _, linear) = net.state_.arrays["parameters"], net.module_
    for places, row in zip(filters_of(net), [*conv.weight, *linear.weight], strict=True):
        np.testing.assert_array_equal(flat[places], row.detach().numpy().ravel())


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        for layer in self.layers:
            x = F.relu(layer(x))
        return x


def test_gradient_norms_and_dead_units():
    torch.manual_seed(1)
    model, x = Deep(), torch.randn(10, 4)
    with torch.no_grad():
        model.layers[1].bias[2] = -100.0  # never fires
        model.layers[0].weight *= 1e-5
        model.layers[2].bias += 1.0
    display = GradientFlowDisplay.from_traces({3: trace(model, x, gradients=True)})
    model(x).sum().backward()
    assert display.names == ["layers.0", "layers.1", "layers.2"]
    np.testing.assert_allclose(display.norms[0], [float(layer.weight.grad.norm()) for layer in model.layers], rtol=1e-5)
    fired = (F.relu(model.layers[1](F.relu(model.layers[0](x)))) != 0).any(0)
    assert display.unit_names == [":relu".strip(":"), "relu, call 2", "relu, call 3"]
    assert not fired[2]
    assert display.dead[0, 1] >= 1
    assert np.array_equal(display.n_units, [4, 4, 4])


def test_what_vanishes_and_explodes_is_marked():
    norms = np.array([[1e-5, 2e-3, 1.0], [0.0, 1e4, 1.0], [np.nan, 1.0, 1.0]])
    flow = GradientFlowDisplay(list("abc"), np.arange(3), norms, [], np.zeros((3, 0), int), np.zeros(0, int))
    np.testing.assert_array_equal(flow.vanishing, [[1, 0, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(flow.exploding, [[0, 0, 0], [0, 1, 0], [1, 0, 0]])
    said = texts(flow)
    assert "vanishing (2)" in said
    assert "exploding (2)" in said


def test_gradient_flow_of_recorded_fits(fitted):
    net, history, X, y = fitted
    display = GradientFlowDisplay.from_history(net, history, X, y, max_steps=3)
    assert display.steps.tolist() == [0, 15, 30]
    state, found = net.state_, net.state_.state_dict()
    history.restore(state, 15)
    weights = [torch.from_numpy(w.T.copy()).requires_grad_() for w in net.coefs_]
    biases = [torch.from_numpy(b.copy()) for b in net.intercepts_]
    z = F.linear(F.relu(F.linear(torch.from_numpy(X), weights[0], biases[0])), weights[1], biases[1])
    F.cross_entropy(z, torch.from_numpy(y)).backward()
    state.load_state_dict(found)
    np.testing.assert_allclose(display.norms[1], [float(w.grad.norm()) for w in weights], rtol=1e-4)
    texts(display)
    plain = trace(nn.Linear(2, 2), torch.ones(3, 2))
    with pytest.raises(InvalidInputError, match="hold gradients"):
        GradientFlowDisplay.from_traces({0: plain})


def test_gradient_flow_of_a_module_estimator():
    X = rng.normal(size=(30, 1, 4, 4)).astype(np.float32)
    y, history = np.array(list("abc"))[np.arange(30) % 3], History(every=2)
    net = ModuleClassifier(
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)),
        max_iter=2, batch_size=10, tol=None, random_state=0,
    )  # fmt: skip
    net.fit(X, y, observers=[history])
    display = GradientFlowDisplay.from_history(net, history, X, y)
    assert display.names == ["0", "3"]
    module, found = net.module_, net.state_.state_dict()
    history.restore(net.state_, int(display.steps[-1]))
    module.zero_grad(set_to_none=False)
    F.cross_entropy(module(torch.from_numpy(X)), torch.arange(30) % 3).backward()
    expected = [float(module[i].weight.grad.norm()) for i in (0, 3)]
    net.state_.load_state_dict(found)
    np.testing.assert_allclose(display.norms[-1], expected, rtol=1e-4)


def test_films_over_training_and_depth(tmp_path):
    path = np.cumsum(rng.normal(size=(3, 7)), axis=0)
    surface = LossSurfaceDisplay.from_path(bowl, path, resolution=3, steps=[0, 10, 20])
    frames = surface._frames()
    assert [name for name, _ in frames] == ["step 0", "step 10", "step 20"]
    np.testing.assert_array_equal(frames[1][1].path, surface.path[:2])
    norms = rng.random((2, 3)) + 0.5
    flow = GradientFlowDisplay(list("abc"), np.array([0, 5]), norms, ["r"], np.zeros((2, 1), int), np.array([4]))
    assert [display.norms.shape for _, display in flow._frames()] == [(1, 3), (2, 3)]
    embedding = EmbeddingDisplay.from_arrays({"a": CLOUD, "b": -CLOUD}, LABELS)
    for i, display in enumerate((surface, flow, embedding)):
        assert display.animate(tmp_path / f"{i}.gif", dpi=40).read_bytes().startswith(b"GIF")
