from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from pydantic import ValidationError

from glassnet import Layer, MLPClassifier, MLPRegressor, advance, sweep
from glassnet.data import load
from glassnet.lab.exhibits.playground import MAP_SIZE, UNIT_SIZE, Playground, PlaygroundSettings
from glassnet.lab.exhibits.playground_rival import MOST_FITTED, RIVALS, Rival
from glassnet.lab.exhibits.playground_script import INPUTS
from glassnet.lab.session import Session
from glassnet.learning import compiled
from glassnet.training.batches import plan

LINK = (
    "activation=relu&batchSize=20&dataset=spiral&regDataset=reg-gauss&learningRate=0.01&noise=15&networkShape=5,3"
    "&seed=42&percTrainData=70&x=true&y=true&xTimesY=true&xSquared=false&sinX=true&problem=classification&solver=adam"
)


def settings_of(link: str) -> dict[str, str]:
    return dict(part.split("=") for part in link.split("&"))


def test_a_link_in_the_playgrounds_style_is_read():
    settings, complaints = PlaygroundSettings.from_link(settings_of(LINK))
    assert complaints == []
    assert settings.network_shape == (5, 3)
    assert settings.inputs == ("x", "y", "x_times_y", "sin_x")
    assert (settings.data_name, settings.noise, settings.perc_train_data) == ("spiral", 15, 70)


@pytest.mark.parametrize(
    "values",
    [
        {"noise": 51},
        {"percTrainData": 0},
        {"networkShape": [9]},
        {"networkShape": [1] * 7},
        {"networkShape": [0]},
        {"learningRate": 0},
        {"learningRate": float("nan")},
        {"learningRate": float("inf")},
        {"batchSize": 0},
        {"alpha": -1},
        {"activation": "step"},
        {"dataset": "moons"},
        {"seed": -1},
        {"x": False, "y": False},
        {"dropout": 1},
        {"layerNorm": ["instance"]},
        {"networkShape": [3], "norm": "group"},
        {"seeds": 31},
        {"rival": "xgboost"},
    ],
)
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        PlaygroundSettings().changed(values)


@pytest.mark.parametrize(
    ("problem", "solver"), [("classification", "sgd"), ("classification", "momentum"), ("regression", "adam")]
)
def test_it_trains_with_the_packages_own_estimator(problem, solver):
    settings = PlaygroundSettings(problem=problem, solver=solver, noise=10, seed=5, alpha=0.01, batch_size=20)
    playground = Playground(settings)
    playground.step(30)
    playground.step(70)
    data = load("circle" if problem == "classification" else "reg-plane", noise=0.1, random_state=5)
    options = {"sgd": {"solver": "sgd", "momentum": 0.0}, "adam": {"solver": "adam"}}
    options["momentum"] = {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False}
    estimator = MLPClassifier if problem == "classification" else MLPRegressor
    network = estimator(
        (4, 2), "tanh", alpha=0.01, batch_size=20, learning_rate_init=0.03, random_state=5,
        engine=playground.network.engine_, **options[solver],
    )  # fmt: skip
    advance(network.initialize(data.X_train, data.y_train), 100)
    frame = playground.frame()
    weights = np.concatenate([weight.ravel() for weight in network.coefs_])
    np.testing.assert_array_equal(frame.arrays["weights"], weights)
    np.testing.assert_array_equal(frame.arrays["biases"], np.concatenate(network.intercepts_))
    if problem == "classification":
        assert frame.values["testError"] == pytest.approx(1 - network.score(data.X_test, data.y_test))
    else:
        expected = ((network.predict(data.X_test) - data.y_test) ** 2).mean() / 2
        assert frame.values["testLoss"] == pytest.approx(expected, rel=1e-6)


def test_the_maps_show_what_every_unit_computes():
    playground = Playground(PlaygroundSettings(network_shape=(3, 2), dataset="gauss", sin_y=True))
    playground.step(50)
    arrays = playground.frame().arrays
    assert arrays["map"].shape == (MAP_SIZE, MAP_SIZE)
    assert arrays["maps"].shape == (3 + 2 + 1, UNIT_SIZE, UNIT_SIZE)
    for row, column in ((0, 0), (5, 20), (31, 31)):
        x1 = -6 + 12 * (column + 0.5) / UNIT_SIZE
        x2 = 6 - 12 * (row + 0.5) / UNIT_SIZE
        point = np.array([[x1, x2, np.sin(x2)]], np.float32)
        first, second, output = playground.network.activations(point)
        expected = np.concatenate([first[0], second[0], 2 * output[0] - 1])
        np.testing.assert_allclose(arrays["maps"][:, row, column] / 127.5 - 1, expected, atol=1 / 255)


def test_looking_at_a_unit_changes_the_large_map_and_the_probe():
    playground = Playground(PlaygroundSettings(network_shape=(3,)))
    playground.settings = playground.settings.changed({"look": [1, 2]})
    arrays = playground.frame().arrays
    middle = slice(1, None, MAP_SIZE // UNIT_SIZE)
    np.testing.assert_array_equal(arrays["map"][middle, middle], arrays["maps"][1])
    probe = playground.questions["probe"](x1=1.5, x2=-2)
    expected = playground.network.activations([[1.5, -2]])[0][0, 1]
    assert playground.answer(probe).values["value"] == pytest.approx(expected, abs=1e-6)


def test_inputs_are_computed_as_they_are_written():
    x1, x2 = np.array([0.5, -2.0]), np.array([3.0, 1.25])
    for an_input in INPUTS.values():
        expected = eval(an_input.code, {"np": np, "x1": x1, "x2": x2})
        np.testing.assert_array_equal(an_input.compute(x1, x2), expected)


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        "problem=regression&networkShape=&learningRate=0.001&noise=20&seed=3",
        "norm=batch&layerDropout=0.2&layerActivation=same,relu&noise=30&batchSize=50",
    ],
)
def test_the_script_prints_the_numbers_of_the_page(link):
    playground = Playground(PlaygroundSettings.from_link(settings_of(link))[0])
    playground.step(300)
    values = playground.frame().values
    run = subprocess.run([sys.executable, "-c", playground.python()], capture_output=True, text=True, check=True)
    expected = [f"train loss {values['trainLoss']:.4f}", f"test loss {values['testLoss']:.4f}"]
    if values["testError"] is not None:
        expected.append(f"test error {values['testError']:.1%}")
    assert run.stdout.splitlines() == expected
    assert run.stderr == ""


def test_a_rate_that_diverges_is_said_and_the_moment_before_stays():
    session = Session(Playground)
    session.handle(
        '{"id": 1, "do": "open", "settings": {"activation": "identity", "learningRate": 10, "problem": "regression"}}'
    )
    reply = session.handle('{"id": 2, "do": "step", "n": 1000}')
    assert b"The loss became" in reply
    assert b'"error"' not in session.handle('{"id": 3, "do": "seek", "step": 0}')


def test_a_visitor_takes_less_than_two_megabytes():
    settings = {"networkShape": [8] * 6, "percTrainData": 90, "solver": "adam"}
    opening = json.dumps({"id": 1, "do": "open", "settings": settings})
    n_visitors = 2

    def visit() -> Session:
        session = Session(Playground)
        session.handle(opening)
        for _ in range(20):
            session.handle('{"id": 2, "do": "step", "n": 400}')
        return session

    visit()
    tracemalloc.start()
    sessions = [visit() for _ in range(n_visitors)]
    used = tracemalloc.get_traced_memory()[0] / n_visitors
    tracemalloc.stop()
    assert all(session.handle('{"id": 3, "do": "step", "n": 1}') for session in sessions)
    assert used < 2e6


# settings of layers


def test_a_layer_may_differ_from_the_others():
    settings = PlaygroundSettings(
        network_shape=(8, 6, 4), norm="batch", dropout=0.1, layer_activation=("relu",),
        layer_norm=("group", "none"), layer_dropout=("0.2", "0"),
    )  # fmt: skip
    first = Layer(8, "relu", norm="group", groups=2, dropout=0.2)
    assert settings.layers == (first, 6, Layer(4, norm="batch", dropout=0.1))


def test_without_such_settings_the_kernels_serve_the_network():
    playground = Playground(PlaygroundSettings(layer_norm=("same", "none"), layer_dropout=("0",)))
    assert playground.network.hidden_layer_sizes == (4, 2)
    assert compiled.supports(playground.network.spec_, playground.network.state_.engine.solver)


def test_it_trains_with_normalization_and_dropout_as_the_package_does():
    playground = Playground(PlaygroundSettings(norm="layer", layer_dropout=("0.3",), layer_activation=("relu",)))
    playground.step(40)
    layers = (Layer(4, "relu", norm="layer", dropout=0.3), Layer(2, norm="layer"))
    network = MLPClassifier(
        layers, "tanh", solver="sgd", momentum=0.0, alpha=0.0, batch_size=10, learning_rate_init=0.03, random_state=0
    )
    advance(network.initialize(playground.data.X_train, playground.data.y_train), 40)
    np.testing.assert_array_equal(playground.network.coefs_[0], network.coefs_[0])
    playground.seek(20)
    playground.step(20)
    np.testing.assert_array_equal(playground.network.coefs_[0], network.coefs_[0])


# one update in numbers


def gradient_by_autograd(playground: Playground, layer: int, source: int, unit: int) -> float:
    import torch

    state, network = playground.network.state_, playground.network
    batch = plan(state, 1)
    rows = batch.indices[batch.starts[0] : batch.stops[0]]
    h = torch.tensor(playground.data.X_train[rows], dtype=torch.float64)
    y = torch.tensor(playground.data.y_train[rows], dtype=torch.float64)
    weights = [torch.tensor(w.astype(float), requires_grad=True) for w in network.coefs_]
    biases = [torch.tensor(b.astype(float), requires_grad=True) for b in network.intercepts_]
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        h = h @ w + b if k == len(weights) - 1 else torch.tanh(h @ w + b)
    torch.nn.functional.binary_cross_entropy_with_logits(h[:, 0], y).backward()
    gradient = weights[layer - 1].grad if source else biases[layer - 1].grad
    return float(gradient[source - 1, unit - 1] if source else gradient[unit - 1])


def weight_of(playground: Playground, layer: int, source: int, unit: int) -> float:
    network = playground.network
    values = network.coefs_[layer - 1] if source else network.intercepts_[layer - 1]
    return float(values[source - 1, unit - 1] if source else values[unit - 1])


@pytest.mark.parametrize("solver", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("address", [(1, 2, 3), (2, 0, 1), (3, 1, 1)])
def test_the_next_update_is_what_the_network_does(solver, address):
    playground = Playground(PlaygroundSettings(solver=solver, alpha=0.3, noise=20, weight=address))
    playground.step(37)
    before, frame = weight_of(playground, *address), playground.frame()
    terms = frame.values["update"]["terms"]
    assert terms["weight"] == before
    assert terms["gradient"] == pytest.approx(gradient_by_autograd(playground, *address), abs=1e-6)
    assert terms["decay"] == pytest.approx(0.3 / 10 * before if address[1] else 0)
    assert terms["weight"] + terms["change"] == pytest.approx(terms["after"], abs=1e-6)
    below, delta, product = frame.arrays["updateSamples"].T
    np.testing.assert_allclose(below * delta, product, rtol=1e-4, atol=1e-7)
    assert product.mean() == pytest.approx(terms["gradient"], abs=1e-6)
    playground.step(1)
    assert terms["after"] == weight_of(playground, *address)
    descent = terms["rate"] * (terms["gradient"] + terms["decay"])
    if solver == "sgd":
        assert before - descent == pytest.approx(terms["after"], abs=1e-6)
    elif solver == "momentum":
        assert before + 0.9 * terms["velocity"] - descent == pytest.approx(terms["after"], abs=1e-6)
    else:
        step = terms["rate"] * terms["mean"] / (terms["square"] ** 0.5 + 1e-8)
        assert before - step == pytest.approx(terms["after"], abs=1e-6)


def test_the_next_update_knows_what_will_be_dropped_and_normalized():
    settings = PlaygroundSettings(norm="batch", dropout=0.3, network_shape=(8, 4), weight=(2, 3, 1), noise=20)
    playground = Playground(settings)
    for _ in range(5):
        playground.step(3)
        running, frame = playground.network.state_.arrays["running_mean"].copy(), playground.frame()
        np.testing.assert_array_equal(running, playground.network.state_.arrays["running_mean"])
        assert frame.arrays["updateSamples"].shape == (0, 3)
        terms = frame.values["update"]["terms"]
        playground.step(1)
        after = weight_of(playground, 2, 3, 1)
        assert terms["after"] == after
        assert terms["weight"] - 0.03 * terms["gradient"] == pytest.approx(after, abs=1e-6)


@pytest.mark.parametrize("weight", [(4, 1, 1), (1, 3, 1), (1, 1, 5), (2, 0), (1,)])
def test_a_weight_that_is_not_there_has_no_update(weight):
    playground = Playground(PlaygroundSettings(weight=weight))
    assert playground.frame().values["update"] is None
    assert "one more step" not in playground.python()


# many seeds, other classifiers


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_many_seeds_are_a_sweep_over_them(problem):
    playground = Playground(PlaygroundSettings(problem=problem, seeds=4, seed=3, noise=20))
    n_epochs, state = 3, playground.network.state_
    playground.step(n_epochs * state.steps_per_epoch)
    network = playground.network.__class__(**playground.network.get_params())
    network.set_params(max_iter=n_epochs, tol=None)
    data = playground.data
    runs = sweep(network, data.X_train, data.y_train, {"random_state": range(3, 7)}).runs
    for mine, run in zip(playground.networks, runs, strict=True):
        np.testing.assert_array_equal(mine.coefs_[0], run.estimator.coefs_[0])
    if problem == "classification":
        errors = [1 - run.estimator.score(data.X_test, data.y_test) for run in runs]
    else:
        errors = [((run.estimator.predict(data.X_test) - data.y_test) ** 2).mean() / 2 for run in runs]
    frame = playground.frame()
    np.testing.assert_allclose(frame.arrays["seedErrors"], errors, rtol=1e-5)
    values = frame.values["seeds"]
    assert [values["median"], values["low"], values["high"]] == pytest.approx(
        [np.median(errors), min(errors), max(errors)], rel=1e-5
    )
    assert frame.arrays["seedCurve"][-1, 0] == playground.history.step


def test_the_script_prints_seeds_a_rival_and_one_more_step():
    playground = Playground(PlaygroundSettings(seeds=3, rival="svm", weight=(1, 1, 2), noise=30, dataset="xor"))
    playground.step(80)
    frame = playground.frame()
    run = subprocess.run([sys.executable, "-c", playground.python()], capture_output=True, text=True, check=True)
    low, median, high = (f"{frame.values['seeds'][name]:.1%}" for name in ("low", "median", "high"))
    terms = frame.values["update"]["terms"]
    assert run.stdout.splitlines()[3:] == [
        f"test error of 3 seeds: median {median}, {low} to {high}",
        f"rival's test error {playground.scene().values['rival']['testError']:.1%}",
        f"weight {terms['weight']:.6f}",
        f"weight after one more step {terms['after']:.6f}",
    ]


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_is_scikit_learns_classifier(name):
    playground = Playground(PlaygroundSettings(rival=name, dataset="gauss", noise=40, x_times_y=True))
    features = [np.column_stack([X, X[:, 0] * X[:, 1]]) for X in (playground.data.X_train, playground.data.X_test)]
    scene = playground.scene()
    model = sys.modules[RIVALS[name][0]].__dict__[RIVALS[name][1]](**RIVALS[name][2])
    model.fit(features[0], playground.data.y_train)
    assert scene.values["rival"]["testError"] == pytest.approx(1 - model.score(features[1], playground.data.y_test))
    assert scene.values["rival"]["trainError"] == pytest.approx(1 - model.score(features[0], playground.data.y_train))
    middle = scene.arrays["rivalMap"][MAP_SIZE // 8, 7 * MAP_SIZE // 8]
    x = 6 - 12 * (MAP_SIZE // 8 + 0.5) / MAP_SIZE
    place = 12 * (7 * MAP_SIZE // 8 + 0.5) / MAP_SIZE - 6
    assert (middle > 127) == (model.predict([[place, x, place * x]])[0] == 1)


def test_rivals_have_their_settings_and_see_a_bounded_number_of_points():
    assert set(RIVALS) | {"none"} == set(PlaygroundSettings.model_json_schema()["properties"]["rival"]["enum"])
    X = np.random.default_rng(0).normal(size=(MOST_FITTED + 5, 2))
    assert Rival("bayes", X, (X[:, 0] > 0).astype(int)).n_fitted == MOST_FITTED


def test_choosing_a_rival_or_a_weight_does_not_restart():
    session = Session(Playground)
    session.handle('{"id": 1, "do": "open", "settings": {}}')
    session.handle('{"id": 2, "do": "step", "n": 1}')
    network = session.exhibit.network
    session.handle('{"id": 3, "do": "set", "settings": {"rival": "tree", "weight": [1, 1, 1]}}')
    assert session.exhibit.network is network
    assert session.exhibit.history.step == 1
