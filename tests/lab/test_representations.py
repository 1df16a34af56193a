"""The exhibit of representations against the layers computed apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import silhouette_score

from glassnet import load_trained
from glassnet.data import images, pictures
from glassnet.errors import DataNotFoundError, InvalidInputError
from glassnet.lab.exhibits import representations_space
from glassnet.lab.exhibits.representations import STEPS, RepresentationsExhibit, RepresentationsSettings
from glassnet.lab.exhibits.representations_space import held_out_pictures


@pytest.fixture(scope="module")
def exhibit() -> RepresentationsExhibit:
    made = RepresentationsExhibit(RepresentationsSettings(n_samples=200))
    made.finish()
    return made


@pytest.fixture
def inside(exhibit) -> dict[str, np.ndarray]:
    """What the layers make of the same pictures, by hooks."""
    net = load_trained("lenet5-mnist").module_
    X = torch.from_numpy(exhibit.space.pictures)[:, None].float() / 255
    seen = {"input": X}
    for name in ("s2", "s4", "c5", "f6", "output"):
        getattr(net, name).register_forward_hook(lambda module, x, y, name=name: seen.update({name: y}))
    with torch.no_grad():
        net(X)
    return {name: values.flatten(1).numpy() for name, values in seen.items()}


def test_classes_lie_apart_as_far_as_the_page_says_and_ever_further(exhibit, inside):
    space, values = exhibit.space, exhibit.frame().values
    assert values["layers"] == tuple(inside)
    for name, kinds in (("fine", space.labels), ("coarse", space.labels % 2)):
        expected = [silhouette_score(Z, kinds) for Z in inside.values()]
        assert space.separation[name] == pytest.approx(expected, abs=1e-4)
    assert values["separation"] == space.separation["fine"]
    assert values["separation"][-1] > values["separation"][0] + 0.3
    assert min(values["trustworthiness"]) > 0.9


def test_neighbours_are_the_nearest_in_the_layer(exhibit, inside):
    for layer, Z in enumerate(inside.values()):
        distance = np.linalg.norm(Z[:, None] - Z[None], axis=2)
        np.fill_diagonal(distance, np.inf)
        expected = np.sort(distance, axis=1)[:, :5]
        found = np.take_along_axis(distance, exhibit.space.neighbours[layer], axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_flight_goes_from_the_pixels_to_the_answer(exhibit):
    exhibit.step(STEPS + 15)
    values = exhibit.frame().values
    assert (values["at"], values["on"]) == (1, 0.25)
    exhibit.step(10**4)
    values = exhibit.frame().values
    assert (values["at"], values["on"]) == (5, 0)
    exhibit.seek(0)


def test_a_point_is_known_with_its_picture_and_neighbours(exhibit):
    exhibit.settings = exhibit.settings.changed({"point": 600})  # there are 200
    frame, space = exhibit.frame(), exhibit.space
    point = frame.values["point"]
    assert point["index"] == 200
    np.testing.assert_array_equal(frame.arrays["picture"], space.pictures[199])
    assert point["label"] == str(space.labels[199])
    assert [near["index"] - 1 for near in point["neighbours"]] == space.neighbours[0, 199].tolist()
    answers = load_trained("lenet5-mnist").predict_proba(space.pictures.reshape(200, -1))
    assert point["probability"] == pytest.approx(answers[199].max(), abs=1e-5)


def test_before_it_is_there_nothing_is_shown_and_no_step_is_made(monkeypatch):
    class Slow:
        error = result = None
        share, is_over = 0.4, False

    monkeypatch.setattr(representations_space.SPACES, "job", lambda key, visitor: Slow())
    made = RepresentationsExhibit(RepresentationsSettings(seed=99))
    made.step(5)
    assert made.history.step == 0
    assert made.frame().values == {"share": 0.4, "isReady": False}
    assert made.scene().values == {"n": 0}
    assert made.answer(made.questions["progress"]()).values == {"share": 0.4, "isReady": False}


def test_what_went_wrong_is_said(monkeypatch):
    class Failed:
        error, result, share, is_over = InvalidInputError("no memory left"), None, 1.0, True

    monkeypatch.setattr(representations_space.SPACES, "job", lambda key, visitor: Failed())
    with pytest.raises(InvalidInputError, match="no memory left"):
        RepresentationsExhibit(RepresentationsSettings()).frame()


def test_without_the_data_files_other_digits_are_shown_and_photographs_refused(monkeypatch):
    monkeypatch.setattr(images, "has_mnist", lambda part: False)
    monkeypatch.setattr(pictures, "has_cifar10", lambda: False)
    name, digits, labels, _ = held_out_pictures("lenet")
    assert (name, digits.shape, digits.dtype) == ("mnist5k", (1000, 1, 28, 28), np.uint8)
    assert len(labels) == 1000
    with pytest.raises(DataNotFoundError, match="downloads nothing"):
        held_out_pictures("resnet")


@pytest.mark.data
def test_photographs_of_cifar_and_their_groups():
    name, photos, labels, names = held_out_pictures("resnet")
    assert (name, photos.shape[1:], len(labels)) == ("cifar10", (3, 32, 32), 10_000)
    assert set(representations_space.NETWORKS["resnet"].groups) == set(names)
