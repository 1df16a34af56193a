from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform

from glassnet.data.augment import AUGMENTATIONS, Affine, Brightness, Chain, Flip, PadCrop, as_augmentation
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.seeds import torch_generator


def pictures(n=40, channels=2, height=7, width=9):
    return torch.rand(n, channels, height, width, generator=torch_generator(0, "pictures"))


def test_pictures_move_by_an_eighth_of_their_side_where_nothing_else_is_said():
    images = torch.arange(3.0 * 40 * 32).reshape(1, 3, 40, 32)
    eighth, four = (crop(images, torch_generator(0, "batch")) for crop in (PadCrop(), PadCrop(4)))
    assert torch.equal(eighth, four)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_pictures_keep_shape_and_memory_and_follow_the_generator(name):
    images = pictures()
    before = images.clone()
    a, b, c = (AUGMENTATIONS[name](images, torch_generator(0, "batch", step)) for step in (1, 1, 2))
    assert a.shape == images.shape
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(images, before)


def test_pad_crop_gives_each_window_of_the_padded_picture():
    images = pictures(n=300, height=4, width=5)
    wide = np.pad(images.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    places = set()
    for old, new in zip(wide, PadCrop(1)(images, torch_generator(0, "batch")).numpy(), strict=True):
        found = [(i, j) for i in range(3) for j in range(3) if np.array_equal(old[:, i : i + 4, j : j + 5], new)]
        assert len(found) == 1
        places.update(found)
    assert len(places) == 9


def test_flip_mirrors_about_half():
    images = pictures(n=400)
    new = Flip()(images, torch_generator(0, "batch"))
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(images, new, strict=True)]
    assert all(m or torch.equal(a, b) for m, a, b in zip(mirrored, images, new, strict=True))
    assert 150 < sum(mirrored) < 250


def test_affine_moves_pictures_as_scipy_does():
    images, affine = pictures(n=20, channels=1, height=12, width=12), Affine(0.1, 0.2, 0.2, 0.3, 20)
    new = affine(images, torch_generator(0, "batch"))
    matrices = affine._matrices(20, torch_generator(0, "batch")).double().numpy()
    for old, ours, matrix in zip(images, new, matrices, strict=True):
        # places in [-1, 1], x before y, to pixels, row before column
        linear, shift = matrix[::-1, 1::-1], matrix[::-1, 2] * 6
        centre = np.array([5.5, 5.5])
        expected = affine_transform(old[0].double().numpy(), linear, centre + shift - linear @ centre, order=1,
                                    mode="grid-constant")  # fmt: skip
        np.testing.assert_allclose(ours[0], expected, atol=1e-5)


def test_shift_alone_stays_within_its_bounds():
    matrices = Affine(0.1, 0, 0, 0, 0)._matrices(500, torch_generator(0, "batch"))
    assert torch.equal(matrices[:, :, :2], torch.eye(2).expand(500, 2, 2))
    assert 0.19 < matrices[:, :, 2].abs().max() <= 0.2


def test_brightness_is_a_line_per_picture():
    images = pictures()
    new = Brightness(0.3, 0.1)(images, torch_generator(0, "batch"))
    for a, b in zip(images.flatten(1), new.flatten(1), strict=True):
        factor, shift = np.polyfit(a.double(), b.double(), 1)
        np.testing.assert_allclose(a * factor + shift, b, atol=1e-5)
        assert abs(factor - 1) <= 0.1001
        assert abs(shift) <= 0.3001


def test_what_augment_takes():
    assert as_augmentation(None) is None
    assert as_augmentation("crop") == PadCrop()
    assert as_augmentation(("crop-flip", Flip(1))) == Chain((Chain((PadCrop(), Flip())), Flip(1)))
    with pytest.raises(UnknownNameError, match="Did you mean 'crop'"):
        as_augmentation("crp")
    with pytest.raises(InvalidInputError, match="got 3"):
        as_augmentation(3)
