from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from pydantic import ValidationError

from glassnet import MLPClassifier, MLPRegressor, advance
from glassnet.data import load
from glassnet.lab.exhibits.playground import MAP_SIZE, UNIT_SIZE, Playground, PlaygroundSettings
from glassnet.lab.exhibits.playground_script import INPUTS
from glassnet.lab.session import Session

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


@pytest.mark.parametrize("link", [LINK, "problem=regression&networkShape=&learningRate=0.001&noise=20&seed=3"])
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
