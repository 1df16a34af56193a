"""Pictures changed by given amounts."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.data.warp import warp
from glassnet.errors import InvalidInputError

PICTURE = np.zeros((9, 9), np.float32)
PICTURE[2:5, 3] = 1  # an upright stroke, left of the middle


def test_nothing_is_changed_where_nothing_is_asked_for():
    np.testing.assert_array_equal(warp(PICTURE), PICTURE)


def test_whole_pixels_are_a_shift():
    np.testing.assert_allclose(warp(PICTURE, right=2, down=-1), np.roll(PICTURE, (-1, 2), (0, 1)), atol=1e-6)


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_quarter_turns_go_against_the_clock(quarters):
    np.testing.assert_allclose(warp(PICTURE, rotation=90 * quarters), np.rot90(PICTURE, quarters), atol=1e-5)


def test_size_and_width():
    square = np.zeros((9, 9), np.float32)
    square[3:6, 3:6] = 1
    assert warp(square, scale=2).sum() == pytest.approx(4 * 9, rel=0.15)
    wide = warp(square, squeeze=2)
    assert wide.sum(0).astype(bool).sum() > wide.sum(1).astype(bool).sum()


def test_strokes_grow_and_shrink_and_a_half_is_between():
    thick = warp(PICTURE, thicken=1)
    assert thick.sum() == 3 * 3 + 2
    assert warp(thick, thicken=-1).sum() == PICTURE.sum()
    np.testing.assert_allclose(warp(PICTURE, thicken=0.5), (PICTURE + thick) / 2)


def test_blur_spreads_the_same_ink():
    assert warp(PICTURE, blur=1).sum() == pytest.approx(3, rel=0.01)
    assert warp(PICTURE, blur=1).max() < 0.5


@pytest.mark.parametrize("wrong", [{"scale": 0}, {"squeeze": -1}, {"blur": -1}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(InvalidInputError, match="above 0"):
        warp(PICTURE, **wrong)


def test_only_a_grey_picture_is_taken():
    with pytest.raises(InvalidInputError, match=r"got \(3, 9, 9\)"):
        warp(np.zeros((3, 9, 9)))
