"""IDX files and single images; MNIST against its published counts."""

from __future__ import annotations

import gzip
import struct
import warnings
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from glassnet.data import load, mnist_images, read_idx, read_image
from glassnet.errors import CorruptFileError, DataNotFoundError, GlassnetWarning, InvalidInputError

CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}
KEEP_PATH = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def idx(array):
    """Write an array by the format's description."""
    header = bytes([0, 0, CODES[array.dtype.name], array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return header + b"".join(struct.pack(">" + array.dtype.char, value) for value in array.ravel().tolist())


def png(array, mode=None, kind="PNG"):
    file = BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(file, kind)
    return file


@KEEP_PATH
@given(
    array=st.sampled_from(list(CODES)).flatmap(
        lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
    ),
    packed=st.booleans(),
)
def test_read_idx_gives_back_what_was_written(tmp_path, array, packed):
    content = idx(array)
    (tmp_path / "file").write_bytes(gzip.compress(content) if packed else content)
    read = read_idx(tmp_path / "file")
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


GOOD = idx(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an IDX file: it starts with nothing"),
        (b"\0\0\x08", "not an IDX file"),
        (b"\1" + GOOD[1:], "starts with 01 00 08 02"),
        (b"\0\0\x0a" + GOOD[3:], "starts with 00 00 0a 02"),
        (b"\0\0\x08\0", "not an IDX file"),
        (GOOD[:9], "breaks off in its header, after 9 bytes"),
        (GOOD[:-1], "holds 11 bytes of values, but its header promises 12"),
        (GOOD + b"\0", "holds 13 bytes"),
        (b"\0\0\x0e\4" + b"\xff" * 16, "promises"),  # 2**131 bytes, and none are allocated
        (gzip.compress(GOOD)[:-6], "does not decompress"),
        (gzip.compress(GOOD)[:10] + b"\xff" * 20, "does not decompress"),
    ],
    ids=["empty", "short", "magic", "type", "flat", "header", "less", "more", "huge", "gzip-cut", "gzip-damaged"],
)
def test_damaged_idx_files(tmp_path, content, words):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CorruptFileError, match=words) as caught:
        read_idx(tmp_path / "file")
    assert str(tmp_path / "file") in str(caught.value)


@KEEP_PATH
@given(content=st.one_of(st.binary(max_size=60), st.binary(max_size=30).map(lambda tail: GOOD[:4] + tail)))
def test_any_bytes_are_an_array_or_a_corrupt_file(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    try:
        array = read_idx(tmp_path / "file")
    except CorruptFileError:
        return
    assert idx(array) == content


def test_idx_file_that_is_not_there(tmp_path):
    with pytest.raises(DataNotFoundError, match="no file"):
        read_idx(tmp_path / "nothing")


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """MNIST, decoded into a home directory of this run's own if the data home is read-only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("user")))
        yield load("mnist")


@pytest.mark.data
def test_mnist_has_its_published_counts(mnist):
    assert mnist.X_train.shape == (60000, 784)
    assert np.bincount(mnist.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.X_train.mean(dtype=float) == pytest.approx(0.1307, abs=5e-5)
    assert mnist.X_train.std(dtype=float) == pytest.approx(0.3081, abs=5e-5)


@pytest.mark.data
def test_rows_are_the_pictures(mnist):
    for part, X, y in (("train", mnist.X_train, mnist.y_train), ("test", mnist.X_test, mnist.y_test)):
        images, labels = mnist_images(part)
        assert images.dtype == labels.dtype == np.uint8
        assert images.shape == (len(X), 28, 28)
        assert not images.flags.writeable
        assert (X[::50] == images[::50].reshape(-1, 784) / np.float32(255)).all()
        assert (y == labels).all()


@pytest.mark.data
def test_a_drawn_digit_reads_as_its_row(mnist):
    image = mnist_images("test")[0][0]
    for shape in ((28, 28), (1, 28, 28)):
        read = read_image(png(image), shape)
        assert read.shape == shape
        assert (read.ravel() == mnist.X_test[0]).all()


def test_unknown_part_of_mnist():
    with pytest.raises(InvalidInputError, match="'valid'"):
        mnist_images("valid")


def test_mnist_that_is_not_the_original(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(GOOD))
    with pytest.raises(CorruptFileError, match=r"train-images-idx3-ubyte\.gz does not hold"):
        load("mnist")


DARK = np.array([[0, 0, 0], [0, 255, 128], [0, 0, 0]], np.uint8)


def test_light_paper_is_turned_over_and_said():
    with pytest.warns(GlassnetWarning, match="dark on light; it was turned"):
        turned = read_image(png(255 - DARK), (3, 3))
    np.testing.assert_allclose(turned, DARK / 255, atol=1e-6)


def test_nothing_is_said_when_nothing_is_done_or_it_was_asked_for():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_image(png(DARK), (3, 3)), DARK / np.float32(255))
        np.testing.assert_allclose(read_image(png(DARK), (3, 3), invert=True), 1 - DARK / 255, atol=1e-6)
        np.testing.assert_array_equal(read_image(png(255 - DARK), (3, 3), invert=False)[0], 1)
        colours = np.full((2, 4, 3), (250, 100, 200), np.uint8)
        read = read_image(png(colours), (3, 2, 4))
    assert read.shape == (3, 2, 4)
    np.testing.assert_array_equal(read[:, 0, 0], np.float32([250, 100, 200]) / np.float32(255))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_modes_of_png_read_alike(mode):
    black_and_white = np.where(DARK > 0, 255, 0).astype(np.uint8)
    read = read_image(png(black_and_white, mode), (3, 3))
    np.testing.assert_array_equal(read, black_and_white / np.float32(255))
    assert read.dtype == np.float32


def test_sixteen_bits_are_scaled_not_clipped():
    read = read_image(png(DARK.astype(np.uint16) * 256 + 7), (3, 3))
    np.testing.assert_array_equal(read, DARK / np.float32(255))


def test_beyond_sixteen_bits_is_refused():
    with pytest.raises(InvalidInputError, match="beyond 16 bits"):
        read_image(png(np.full((3, 3), 1e6, np.float32), kind="TIFF"), (3, 3))


def test_what_is_transparent_is_paper():
    ink = np.zeros((3, 3, 4), np.uint8)
    ink[1, 1, 3] = 255
    read = read_image(png(ink), (3, 3), invert=True)
    np.testing.assert_array_equal(read, np.eye(9, dtype=np.float32)[4].reshape(3, 3))


def test_a_photo_is_turned_upright(tmp_path):
    image = Image.fromarray(np.array([[0, 0, 255], [0, 0, 0]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    image.save(tmp_path / "photo.png", exif=exif)
    read = read_image(tmp_path / "photo.png", (3, 2), invert=False)
    np.testing.assert_array_equal(read, np.float32([[0, 0], [0, 0], [0, 1]]))


def test_another_size_is_refused_or_stretched(tmp_path):
    half = np.repeat(np.uint8([[0] * 8, [200] * 8]), 8, axis=0)  # 16 x 8
    (tmp_path / "tall.png").write_bytes(png(half).getvalue())
    with pytest.raises(InvalidInputError, match=r"tall.png is 16 x 8 pixels .* but 4 x 6 are needed; resize=True"):
        read_image(tmp_path / "tall.png", (4, 6))
    read = read_image(tmp_path / "tall.png", (4, 6), resize=True)
    assert read.shape == (4, 6)
    np.testing.assert_allclose(read[[0, 3]], np.repeat([[0], [200 / 255]], 6, axis=1), atol=0.05)


def test_what_is_no_image(tmp_path):
    (tmp_path / "a.png").write_text("not a picture")
    with pytest.raises(CorruptFileError, match=r"a.png does not decode as a picture"):
        read_image(tmp_path / "a.png", (3, 3))
    with pytest.raises(CorruptFileError, match="does not decode"):
        read_image(tmp_path, (3, 3))
    with pytest.raises(DataNotFoundError, match=r"There is no file .*b.png"):
        read_image(tmp_path / "b.png", (3, 3))
    with pytest.raises(CorruptFileError, match="the image does not decode"):
        read_image(BytesIO(png(DARK).getvalue()[:-30]), (3, 3))


def test_an_image_too_large_to_decode_is_refused(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    with pytest.raises(CorruptFileError, match="pixels"):
        read_image(png(DARK), (3, 3))


PICTURE = png(np.arange(64, dtype=np.uint8).reshape(8, 8)).getvalue()


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(PICTURE) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(PICTURE)))
def test_damaged_bytes_give_a_picture_or_one_of_our_errors(at, byte, cut):
    damaged = bytearray(PICTURE)
    damaged[at] = byte
    for content in (bytes(damaged), PICTURE[:cut]):
        try:
            read = read_image(BytesIO(content), (8, 8), invert=False)
        except (CorruptFileError, InvalidInputError):
            continue
        assert read.shape == (8, 8)
        assert 0 <= read.min() <= read.max() <= 1


@pytest.mark.parametrize("shape", [(784,), (2, 28, 28), (28, 28, 3), ()])
def test_shapes_that_are_no_picture(shape):
    with pytest.raises(InvalidInputError, match="image_shape is"):
        read_image(png(DARK), shape)


@pytest.mark.parametrize("invert", ["yes", None, 2])
def test_invert_is_one_of_three(invert):
    with pytest.raises(InvalidInputError, match="invert is True, False or 'auto'"):
        read_image(png(DARK), (3, 3), invert=invert)
