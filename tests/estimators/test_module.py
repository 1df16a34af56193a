from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from glassnet import History, MLPClassifier, advance, trace
from glassnet.data import load
from glassnet.errors import DivergedError, InvalidInputError, UnknownNameError
from glassnet.estimators.module import ModuleClassifier, ModuleRegressor
from glassnet.learning.dropout import Dropout
from glassnet.training.run_folder import load_run, save_run

X, Y = make_classification(120, 6, n_informative=4, n_classes=3, random_state=0)
X = X.astype(np.float32)
DIGITS = load("digits")
PICTURES = (DIGITS.X_train * 255).round().astype(np.uint8).reshape(-1, 8, 8)


class Net(nn.Sequential):
    def __init__(self, n_features, n_outputs, units=16):
        super().__init__(nn.Linear(n_features, units), nn.ReLU(), nn.Linear(units, n_outputs))


class ConvNet(nn.Sequential):
    def __init__(self, in_channels, n_classes):
        super().__init__(
            nn.Conv2d(in_channels, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            Dropout(0.1), nn.Linear(72, n_classes),
        )  # fmt: skip


def classifier(module=Net, **options):
    return ModuleClassifier(module, **{"max_iter": 5, "tol": None, "random_state": 0, "batch_size": 32} | options)


def test_a_linear_module_learns_what_the_written_out_rule_learns():
    layer = nn.Linear(6, 3)
    options = {"solver": "sgd", "alpha": 0.5, "learning_rate_init": 0.1, "max_iter": 4, "tol": None, "batch_size": 30}
    ours = ModuleClassifier(layer, random_state=0, **options).fit(X, Y)
    dense = MLPClassifier((), random_state=0, engine="formula", **options)
    state = dense.initialize(X, Y)
    state.arrays["parameters"][:] = torch.cat([layer.weight.flatten(), layer.bias]).detach().numpy()
    losses = advance(state, 16)
    np.testing.assert_allclose(ours.loss_curve_, losses.reshape(4, 4).mean(1), rtol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), dense.predict_proba(X), atol=1e-5)


def test_pictures_as_rows_planes_bytes_and_tensors_are_the_same_pictures():
    flat = PICTURES.reshape(-1, 64)
    scaled = flat / np.float32(255)
    given = [
        (flat, (8, 8)), (scaled, (1, 8, 8)), (PICTURES, None), (PICTURES[:, None], None),
        (scaled.reshape(-1, 8, 8), (8, 8)), (torch.from_numpy(scaled).reshape(-1, 1, 8, 8), None),
    ]  # fmt: skip
    nets = [classifier(ConvNet, image_shape=shape, max_iter=2).fit(P, DIGITS.y_train) for P, shape in given]
    for net, (P, _) in zip(nets, given, strict=True):
        assert net.image_shape_ == (1, 8, 8)
        np.testing.assert_array_equal(net.predict_proba(P[:50]), nets[0].predict_proba(flat[:50]))
    assert nets[0].score(flat, DIGITS.y_train) > 0.7


def test_pictures_may_be_a_memory_map(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, PICTURES.shape)
    mapped[:] = PICTURES
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    net = classifier(ConvNet, max_iter=1).fit(mapped, DIGITS.y_train)
    assert np.shares_memory(net.state_.engine.objective.X.numpy(), mapped)


def test_a_callable_is_built_under_the_seed_and_nobody_s_generator_moves():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    a, b, c = (classifier(random_state=seed).fit(X, Y) for seed in (3, 3, 4))
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    assert not np.array_equal(a.predict_proba(X), c.predict_proba(X))


def test_an_instance_is_a_starting_point_and_stays_as_it_is():
    module = Net(6, 3)
    before = copy.deepcopy(module.state_dict())
    net = classifier(module)
    net.initialize(X, Y)
    expected = module(torch.from_numpy(X)).softmax(1).detach()
    np.testing.assert_allclose(net.predict_proba(X), expected, atol=1e-6)
    net.fit(X, Y)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert not torch.equal(net.module_[0].weight, module[0].weight)


def test_names_of_the_table_are_modules():
    X = np.zeros((6, 28, 28), np.uint8)
    net = ModuleClassifier("lenet5", module_options={"variant": "1998"}, random_state=0)
    net.initialize(X, [0, 1, 2, 3, 0, 1])
    assert net.module_.variant == "1998"
    assert net.layer_names_ == ["c1", "s2", "c3", "s4", "c5", "f6", "output"]
    colour = ModuleClassifier("resnet20", random_state=0)
    colour.initialize(np.zeros((4, 3, 8, 8), np.float32), ["a", "b", "a", "b"])
    assert colour.module_.fc.out_features == 2


def test_lazy_layers_take_the_shape_of_the_data():
    def lazy(n_classes):
        return nn.Sequential(nn.LazyLinear(5), nn.ReLU(), nn.LazyLinear(n_classes))

    a, b = (classifier(lazy).fit(X, Y) for _ in range(2))
    assert a.module_[0].in_features == 6
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))


def test_copies_go_on_alone_and_as_the_original_would():
    net = classifier(ConvNet, warm_start=True).fit(PICTURES, DIGITS.y_train)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(net.predict_proba(PICTURES), other.predict_proba(PICTURES))
        other.set_params(max_iter=1).fit(PICTURES, DIGITS.y_train)
        assert not np.array_equal(net.predict_proba(PICTURES), other.predict_proba(PICTURES))
    net.set_params(max_iter=1).fit(PICTURES, DIGITS.y_train)
    np.testing.assert_array_equal(net.predict_proba(PICTURES), other.predict_proba(PICTURES))
    assert len(pickle.dumps(net)) < 10 * net.state_.arrays["parameters"].nbytes + 20_000


def test_a_saved_run_predicts_the_same_and_goes_on(tmp_path):
    pictures = np.random.default_rng(0).integers(256, size=(40, 28, 28)).astype(np.uint8)
    y = np.arange(40) % 4
    net = classifier("lenet5", max_iter=2, warm_start=True, augment="distort").fit(pictures, y)
    other = load_run(save_run(tmp_path, net))
    np.testing.assert_array_equal(net.predict_proba(pictures), other.predict_proba(pictures))
    net.partial_fit(pictures, y)
    other.partial_fit(pictures, y)
    np.testing.assert_array_equal(net.predict_proba(pictures), other.predict_proba(pictures))


def test_partial_fit_makes_the_epochs_of_fit():
    whole, parts = classifier(), classifier()
    whole.fit(X, Y)
    for _ in range(5):
        parts.partial_fit(X, Y, classes=[0, 1, 2])
    np.testing.assert_array_equal(whole.predict_proba(X), parts.predict_proba(X))
    assert whole.loss_curve_ == parts.loss_curve_


def test_watching_changes_nothing_and_going_back_is_exact():
    history = History(every=3)
    watched, alone = classifier().fit(X, Y, observers=[history]), classifier().fit(X, Y)
    np.testing.assert_array_equal(watched.predict_proba(X), alone.predict_proba(X))
    state = alone.initialize(X, Y)
    advance(state, 10)
    at_ten = alone.predict_proba(X)
    history.restore(watched.state_, 10)
    np.testing.assert_array_equal(watched.predict_proba(X), at_ten)


def test_early_stopping_keeps_the_best_weights():
    net = classifier(early_stopping=True, max_iter=60, tol=0.0, n_iter_no_change=3, learning_rate_init=0.05)
    net.fit(X, Y)
    curve = net.validation_loss_curve_
    assert len(curve) == net.n_iter_ < 60
    assert int(np.argmin(curve)) == len(curve) - 4
    assert net.state_.epoch == len(curve) - 3


def test_transform_and_activations_show_the_layers():
    net = classifier(ConvNet, max_iter=1).fit(PICTURES, DIGITS.y_train)
    few = PICTURES[:5]
    assert net.layer_names_ == ["0", "1", "2", "3", "4", "5", "6"]
    outputs = net.activations(few)
    assert [h.shape[1:] for h in outputs[:4]] == [(8, 6, 6), (8, 6, 6), (8, 6, 6), (8, 3, 3)]
    np.testing.assert_array_equal(outputs[-1], net.predict_proba(few))
    np.testing.assert_array_equal(net.transform(few), outputs[5])
    np.testing.assert_array_equal(net.transform(few, layer="1"), outputs[1].reshape(5, -1))
    seen = trace(net, few[:, None] / np.float32(255))
    np.testing.assert_allclose(seen["1"].tensor, outputs[1], atol=1e-6)
    with pytest.raises(UnknownNameError, match="layer: '7'"):
        net.transform(few, layer="7")


def test_it_is_at_home_in_scikit_learn():
    grid = GridSearchCV(
        make_pipeline(StandardScaler(), classifier(max_iter=20, learning_rate_init=0.01)),
        {"moduleclassifier__module_options": [{"units": 1}, {"units": 30}]},
        cv=2,
    ).fit(X, Y)
    assert grid.best_params_ == {"moduleclassifier__module_options": {"units": 30}}
    names = np.array(["x", "y", "z"])[Y]
    assert set(clone(classifier()).fit(X, names).predict(X)) <= {"x", "y", "z"}


def test_class_weight_is_a_weight_of_samples():
    weight = np.where(Y == 1, 5.0, 1.0)
    a = classifier(class_weight={0: 1, 1: 5, 2: 1}).fit(X, Y)
    b = classifier().fit(X, Y, sample_weight=weight)
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))


def test_regression_of_one_and_several_outputs():
    target = np.stack([X[:, 0] - X[:, 1], X[:, 2]], 1)
    options = {"max_iter": 150, "tol": None, "learning_rate_init": 0.02, "random_state": 0}
    several = ModuleRegressor(Net, **options).fit(X, target)
    one = ModuleRegressor(Net, **options).fit(X, target[:, 0])
    assert several.predict(X).shape == (120, 2)
    assert one.predict(X).shape == (120,)
    assert min(several.score(X, target), one.score(X, target[:, 0])) > 0.95
    with pytest.raises(InvalidInputError, match="y has 1 outputs, but the fit has 2"):
        several.partial_fit(X, target[:, 0])


def test_a_loss_that_diverges_keeps_the_best_weights():
    net = ModuleRegressor(Net, solver="sgd", learning_rate_init=1e4, tol=None, random_state=0)
    with pytest.raises(DivergedError):
        net.fit(X, X[:, 0])
    assert np.isfinite(net.predict(X)).all()


class Wrong(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 7)

    def forward(self, x):
        return self.layer(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"module": "lenet6"}, "Did you mean 'lenet5'"),
        ({"module": 3}, "a callable or a torch.nn.Module, got 3"),
        ({"module": lambda: 3}, "must be, or make, a torch.nn.Module; got int"),
        ({"module": Wrong}, r"must return shape \(2, 3\) for two samples of this data, got \(2, 7\)"),
        ({"module": nn.Linear(5, 3)}, r"cannot take samples of shape \(6,\)"),
        ({"image_shape": (2, 2)}, "does not hold the 6 features"),
        ({"augment": "crop"}, "augment changes pictures"),
        ({"augment": "crp", "image_shape": (1, 2, 3), "module": lambda: nn.Sequential(nn.Flatten(), nn.Linear(6, 3))},
         "Did you mean 'crop'"),
        ({"solver": "lbfgs"}, "solver of a module: 'lbfgs'"),
        ({"precision": "float16"}, "precision: 'float16'"),
        ({"device": "gpu"}, "device: 'gpu'"),
        ({"accumulate": 0}, "accumulate must be"),
        ({"label_smoothing": 1.0}, "label_smoothing must be"),
        ({"max_iter": 0}, "max_iter must be"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_answered_with_the_right_ones(options, message):
    with pytest.raises((InvalidInputError, UnknownNameError), match=message):
        classifier(**options).fit(X, Y)


def test_pictures_of_another_size_are_refused():
    net = classifier(ConvNet, max_iter=1).fit(PICTURES, DIGITS.y_train)
    with pytest.raises(InvalidInputError, match=r"samples of shape \(1, 4, 16\), but the fit has \(1, 8, 8\)"):
        net.predict(PICTURES.reshape(-1, 4, 16))
    with pytest.raises(ValueError, match="features"):
        net.predict(PICTURES.reshape(-1, 64)[:, :50])


def test_auto_says_what_it_took():
    net = classifier(precision="auto", device="auto", max_iter=1).fit(X, Y)
    assert net.precision_ in ("float32", "bfloat16")
    assert net.device_ == ("cuda" if torch.cuda.is_available() else "cpu")
    assert net.engine_ == "autograd"
