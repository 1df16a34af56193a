from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.inspection import DecisionBoundaryDisplay as SklearnDisplay
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.plots.decision_boundary import DecisionBoundaryDisplay
from glassnet.plots.plane import Plane


@pytest.fixture(scope="module")
def iris():
    data = load_iris()
    return data.data, data.target


@pytest.fixture(scope="module")
def three_classes(iris):
    return LogisticRegression(max_iter=1000).fit(*iris)


@pytest.fixture(scope="module")
def two_features():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    return X, np.where(X @ [1.0, 2.0] + rng.normal(size=60) > 0.3, "yes", "no")


@pytest.mark.parametrize("response", ["predict_proba", "decision_function", "predict"])
def test_values_are_the_estimators_answers(two_features, response):
    X, y = two_features
    net = LogisticRegression().fit(X, y)
    display = DecisionBoundaryDisplay.from_estimator(net, X, y, response=response, grid_resolution=7)
    expected = np.empty((7, 7))
    for i, v in enumerate(display.vertical):
        for j, u in enumerate(display.horizontal):
            answer = getattr(net, response)([[u, v]])[0]
            by_hand = {"predict_proba": lambda a: a[1] - a[0], "predict": lambda a: 1 if a == "yes" else -1}
            expected[i, j] = by_hand.get(response, float)(answer)
    assert np.allclose(display.values, expected)


def test_values_agree_with_scikit_learn(iris, three_classes):
    X, y = iris[0][:, :2], iris[1]
    net = LogisticRegression(max_iter=1000).fit(X, y)
    ours = DecisionBoundaryDisplay.from_estimator(net, X, y, grid_resolution=20)
    frame = [ours.horizontal[0], ours.horizontal[-1], ours.vertical[0], ours.vertical[-1]]
    corners = np.array([[frame[0], frame[2]], [frame[1], frame[3]]])
    ax = Figure().subplots()
    theirs = SklearnDisplay.from_estimator(
        net, corners, grid_resolution=20, eps=0, response_method="predict_proba", ax=ax
    )
    assert np.allclose(ours.values, np.asarray(theirs.response))


def test_misclassified_samples_are_counted(iris, three_classes):
    X, y = iris
    for how in ({"features": (2, 3)}, {"plane": "pca"}, {"plane": (0, 60, 120)}):
        display = DecisionBoundaryDisplay.from_estimator(three_classes, X, y, grid_resolution=5, **how)
        assert display.n_misclassified == sum(p != t for p, t in zip(three_classes.predict(X), y, strict=True))
        assert display.values.shape == (5, 5, 3)


def test_string_labels_in_any_order_keep_their_numbers(two_features):
    X, y = two_features
    display = DecisionBoundaryDisplay.from_estimator(Perceptron().fit(X, y), X, y)
    assert display.response == "decision_function"
    assert display.classes == ("no", "yes")
    assert np.array_equal(display.targets == 1, y == "yes")


def test_drawn_border_is_the_line_of_the_classifier(two_features):
    X, y = two_features
    net = LogisticRegression().fit(X, y)
    display = DecisionBoundaryDisplay.from_estimator(net, X, y, grid_resolution=300)
    display.plot(Figure().subplots())
    (contour,) = [c for c in display.ax_.collections if type(c).__name__ == "QuadContourSet"]
    line = np.concatenate([path.vertices for path in contour.get_paths()])
    assert len(line) > 100
    assert np.abs(net.decision_function(line)).max() < 1e-3


def test_a_regressor_has_errors_and_no_misclassification():
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([0.0, 1.0, 1.0, 3.0])
    net = LinearRegression().fit(X, y)
    display = DecisionBoundaryDisplay.from_estimator(net, X, y, grid_resolution=3)
    assert np.allclose(display.errors, net.predict(X) - y)
    assert display.values[1, 1] == pytest.approx(net.predict([[0.5, 0.5]])[0])
    with pytest.raises(InvalidInputError, match="misclassifies nothing"):
        _ = display.n_misclassified
    display.plot(Figure().subplots())
    assert "root mean square error 0.25" in display.ax_.get_title()


def test_other_features_stay_at_their_mean(iris):
    X = iris[0]
    plane = Plane.of_features(X, (3, 1), "abcd")
    lifted = plane.lift(np.array([[7.0, 8.0]]))[0]
    assert np.allclose(lifted, [X[:, 0].mean(), 8.0, X[:, 2].mean(), 7.0])
    assert plane.names == ("d", "b")
    assert np.allclose(plane.project(X), X[:, [3, 1]])


def test_principal_plane_is_that_of_scikit_learn(iris):
    X = iris[0]
    plane, theirs = Plane.of_variance(X), PCA(2).fit(X)
    assert np.allclose(np.abs(plane.project(X)), np.abs(theirs.transform(X)))
    assert f"({theirs.explained_variance_ratio_[0]:.0%} of the variance)" in plane.names[0]
    off = np.linalg.norm(X - theirs.inverse_transform(theirs.transform(X)), axis=1)
    assert np.allclose(plane.distance(X), off)
    assert f"samples lie {off.mean():.2g} off" in plane.note


def test_plane_through_three_samples_holds_them_and_their_distances(iris):
    X, rows = iris[0], [3, 70, 149]
    plane = Plane.of_samples(X, rows)
    chosen, places = X[rows], plane.project(X[rows])
    assert np.allclose(plane.distance(chosen), 0, atol=1e-12)
    assert np.allclose(plane.axes @ plane.axes.T, np.eye(2))
    assert np.allclose(places[0], 0)
    assert places[1, 1] == pytest.approx(0, abs=1e-12)
    for i in range(3):
        assert np.linalg.norm(places[i] - places[i - 1]) == pytest.approx(np.linalg.norm(chosen[i] - chosen[i - 1]))


@pytest.mark.parametrize(
    ("how", "error", "match"),
    [
        ({"features": (0, 4)}, InvalidInputError, "0 to 3"),
        ({"features": (1, 1)}, InvalidInputError, "two different"),
        ({"plane": "tsne"}, UnknownNameError, "pca"),
        ({"plane": (0, 1)}, InvalidInputError, "three row numbers"),
        ({"plane": (0, 1, 150)}, InvalidInputError, "150 rows"),
        ({"plane": (0, 1, 0)}, InvalidInputError, "on one line"),
        ({"response": "score"}, UnknownNameError, "predict_proba"),
        ({"grid_resolution": 1}, InvalidInputError, "at least 2"),
    ],
)
def test_what_cannot_be_drawn_is_named(iris, three_classes, how, error, match):
    with pytest.raises(error, match=match):
        DecisionBoundaryDisplay.from_estimator(three_classes, *iris, **how)


def test_data_that_cannot_be_drawn_is_named(iris, three_classes):
    X, y = iris
    for bad_X, bad_y, match in (
        (X[:, :1], y, "two features"),
        (X, y[:3], "one target per sample"),
        (np.where(X > 4.0, np.nan, X), y, "NaN"),
        (X, y + 7, "not among"),
    ):
        with pytest.raises(InvalidInputError, match=match):
            DecisionBoundaryDisplay.from_estimator(three_classes, bad_X, bad_y)


def test_the_other_features_may_be_fixed_at_a_sample(iris, three_classes):
    X, y = iris
    how = {"features": (0, 2), "grid_resolution": 4}
    display = DecisionBoundaryDisplay.from_estimator(three_classes, X, y, at=X[120], **how)
    for i, v in enumerate(display.vertical):
        for j, u in enumerate(display.horizontal):
            sample = [u, X[120, 1], v, X[120, 3]]
            assert np.allclose(display.values[i, j], three_classes.predict_proba([sample])[0])
    assert "2 other features fixed as in a chosen sample" in display.plane.note
    with pytest.raises(InvalidInputError, match=r"one finite sample, shape \(4,\)"):
        DecisionBoundaryDisplay.from_estimator(three_classes, X, y, at=[1.0], **how)
    with pytest.raises(InvalidInputError, match="at fixes"):
        DecisionBoundaryDisplay.from_estimator(three_classes, X, y, plane="pca", at=X[0])


def test_the_probability_of_the_second_class_has_a_scale(two_features):
    X, y = two_features
    figure = Figure()
    DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, y), X, y).plot(figure.subplots())
    bar = figure.axes[1]
    assert bar.get_ylabel() == "probability of yes"
    assert [(t.get_position()[1], t.get_text()) for t in bar.get_yticklabels()] == [(-1, "0"), (0, "0.5"), (1, "1")]
