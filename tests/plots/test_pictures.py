"""Rows of pictures: every value where it belongs, on one scale."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.errors import InvalidInputError
from glassnet.plots.pictures import PicturesDisplay

ROWS = {"sample": np.arange(18.0).reshape(3, 6) / 18, "copy": np.ones((3, 6))}


def test_every_picture_is_drawn_in_its_row_on_one_scale():
    display = PicturesDisplay.from_rows(ROWS, (1, 2, 3), high=2).plot()
    images = [ax.images[0] for ax in display.figure_.axes if ax.images]
    assert len(images) == 6
    np.testing.assert_array_equal(images[1].get_array(), ROWS["sample"][1].reshape(2, 3))
    assert {image.get_clim() for image in images} == {(0, 2)}
    assert [ax.get_ylabel() for ax in display.figure_.axes if ax.get_ylabel()] == ["sample", "copy"]


@pytest.mark.parametrize(
    ("rows", "shape", "message"),
    [
        (ROWS, (2, 2), r"Rows of \[6\] values do not fill grey pictures of shape \(2, 2\)"),
        (ROWS, (3, 1, 2), "do not fill grey pictures"),
        ({"one": np.ones((2, 4)), "two": np.ones((3, 4))}, (2, 2), r"The rows hold \[2, 3\] pictures"),
    ],
)
def test_rows_that_do_not_fit_are_named(rows, shape, message):
    with pytest.raises(InvalidInputError, match=message):
        PicturesDisplay.from_rows(rows, shape)
