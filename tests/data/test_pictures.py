"""Sets of pictures: every way to store them gives back what was written, and every fault is named."""

from __future__ import annotations

import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glassnet.data import load, load_pictures
from glassnet.data.pictures import LOSSY
from glassnet.errors import CorruptFileError, DataNotFoundError, GlassnetWarning, InvalidInputError

RNG = np.random.default_rng(0)
CLASSES = ("cat", "dog", "owl")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


def pictures(n, shape=(4, 5, 3)):
    return RNG.integers(256, size=(n, *shape), dtype=np.uint8)


def write(folder, images, suffix="png"):
    folder.mkdir(parents=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:03d}.{suffix}")


def planes(images):
    """What a reader gives for pictures of shape (n, H, W, C): rows of C * H * W values."""
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


@pytest.fixture
def tree(tmp_path):
    """A folder with parts; return it and what it holds as {part: [images of each class]}."""
    held = {part: [pictures(n) for _ in CLASSES] for part, n in (("train", 4), ("test", 2))}
    for part, images in held.items():
        for name, of_class in zip(CLASSES, images, strict=True):
            write(tmp_path / "pets" / part / name, of_class)
    return tmp_path / "pets", held


def check(data, held):
    assert data.target_names == CLASSES
    assert data.image_shape == (3, 4, 5)
    np.testing.assert_array_equal(data.X_train, planes(np.concatenate(held["train"])))
    np.testing.assert_array_equal(data.X_test, planes(np.concatenate(held["test"])))
    np.testing.assert_array_equal(data.y_train, np.repeat([0, 1, 2], 4))
    np.testing.assert_array_equal(data.y_test, np.repeat([0, 1, 2], 2))


def zipped(folder, path, top=""):
    with zipfile.ZipFile(path, "w") as file:
        for picture in folder.rglob("*.png"):
            file.write(picture, f"{top}{picture.relative_to(folder)}")
        file.writestr("__MACOSX/train/cat/._000.png", b"not a picture")
    return path


def test_a_folder_and_a_zip_give_back_the_pixels(tree, tmp_path):
    folder, held = tree
    (folder / "README.txt").write_text("no picture")
    check(load_pictures(folder), held)
    check(load_pictures(zipped(folder, tmp_path / "a.zip")), held)
    check(load_pictures(zipped(folder, tmp_path / "b.zip", "some/where/"), workers=1), held)
    assert load_pictures(folder).note == ""


def test_val_is_a_test_part(tree):
    folder, held = tree
    (folder / "test").rename(folder / "val")
    check(load_pictures(folder), held)


def test_pictures_are_decoded_once_and_memory_mapped(tree, monkeypatch):
    folder, held = tree
    first = load_pictures(folder)
    assert isinstance(first.X_train.base, np.memmap)
    assert not first.X_train.flags.writeable
    monkeypatch.setattr("glassnet.data.decoding._decode_all", None)
    check(load_pictures(folder), held)
    monkeypatch.undo()
    Image.fromarray(held["train"][0][0] // 2).save(folder / "train" / "cat" / "000.png")
    assert (load_pictures(folder).X_train[0] == planes(held["train"][0])[0] // 2).all()


def test_without_parts_a_share_of_each_class_is_held_out_by_the_seed(tmp_path):
    held = [pictures(10) for _ in CLASSES]
    for name, images in zip(CLASSES, held, strict=True):
        write(tmp_path / "pets" / name, images)
    data, again, other = (load_pictures(tmp_path / "pets", random_state=seed) for seed in (1, 1, 2))
    assert np.bincount(data.y_train).tolist() == [8, 8, 8]
    assert np.bincount(data.y_test).tolist() == [2, 2, 2]
    assert data.sha256 == again.sha256 != other.sha256
    everything = np.concatenate([data.X_train, data.X_test])
    assert set(map(bytes, everything)) == set(map(bytes, planes(np.concatenate(held))))


def test_some_of_each_class_are_taken_by_the_seed(tree):
    folder, held = tree
    some, again, other = (load_pictures(folder, per_class=2, random_state=seed) for seed in (1, 1, 5))
    assert some.y_train.tolist() == some.y_test.tolist() == [0, 0, 1, 1, 2, 2]
    assert some.sha256 == again.sha256 != other.sha256
    assert set(map(bytes, some.X_train)) < set(map(bytes, planes(np.concatenate(held["train"]))))


def test_sizes_are_refused_or_scaled(tree):
    folder, _ = tree
    Image.fromarray(pictures(1, (8, 20, 3))[0]).save(folder / "train" / "cat" / "x.png")
    with pytest.raises(InvalidInputError, match=r"train/cat/x.png is 8 x 20 pixels .*, but the first picture is 4 x 5"):
        load_pictures(folder)
    assert load_pictures(folder, resize=6).image_shape == (3, 6, 6)
    assert load_pictures(folder, resize=(2, 3)).X_train.shape == (13, 18)


def test_what_hangs_over_is_cut_off_on_both_sides(tmp_path):
    stripes = np.repeat(np.array([0, 90, 90, 180], np.uint8), 4)[None].repeat(8, 0)  # 8 x 16, the middle is 90
    for name in "ab":
        write(tmp_path / "s" / name, [stripes, stripes])
    assert (load_pictures(tmp_path / "s", resize=8).X_train == 90).all()


def test_a_corrupt_picture_is_named_or_skipped(tree):
    folder, held = tree
    (folder / "train" / "dog" / "001.png").write_bytes(b"no picture")
    with pytest.raises(CorruptFileError, match=r"train/dog/001.png .*does not decode"):
        load_pictures(folder)
    assert not list(Path(folder.parent, "home").rglob("*.part"))
    for _ in range(2):  # decoded, and from the cache
        with pytest.warns(GlassnetWarning, match=r"1 of 12 pictures .* left out; the first is train/dog/001.png"):
            data = load_pictures(folder, corrupt="skip")
        np.testing.assert_array_equal(data.X_train, np.delete(planes(np.concatenate(held["train"])), 5, 0))
        np.testing.assert_array_equal(data.y_train, [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    with pytest.raises(CorruptFileError, match=r"train/dog/001.png"):
        load_pictures(folder)


def test_a_flipped_bit_in_a_zip_is_found(tree, tmp_path):
    path = zipped(tree[0], tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match="does not"):
        load_pictures(path)


def test_grey_and_colour(tmp_path):
    grey = [pictures(3, (4, 5)) for _ in "ab"]
    for name, images in zip("ab", grey, strict=True):
        write(tmp_path / "g" / name, images)
    assert load_pictures(tmp_path / "g").image_shape == (1, 4, 5)
    assert load_pictures(tmp_path / "g", channels=3).image_shape == (3, 4, 5)
    Image.fromarray(pictures(1)[0]).save(tmp_path / "g" / "b" / "x.png")
    with pytest.raises(InvalidInputError, match=r"b/x.png has 3 channels, but the first picture has 1"):
        load_pictures(tmp_path / "g", test_size=0.01)
    assert load_pictures(tmp_path / "g", channels=1).image_shape == (1, 4, 5)


def test_jpegs_are_called_lossy(tmp_path):
    for name in "ab":
        write(tmp_path / "j" / name, pictures(2), "jpg")
    assert load_pictures(tmp_path / "j").note == LOSSY


def test_what_is_no_set_of_pictures_says_so(tree, tmp_path):
    folder, _ = tree
    write(folder / "test" / "eel", pictures(1))
    with pytest.raises(InvalidInputError, match="test part has pictures of eel, which the train part has none of"):
        load_pictures(folder)
    with pytest.raises(DataNotFoundError, match="no folder or file"):
        load_pictures(tmp_path / "nowhere")
    (tmp_path / "x.csv").write_text("1,2")
    with pytest.raises(InvalidInputError, match="neither a folder nor a zip"):
        load_pictures(tmp_path / "x.csv")
    (tmp_path / "x.zip").write_text("1,2")
    with pytest.raises(CorruptFileError, match="not a whole zip"):
        load_pictures(tmp_path / "x.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="holds no pictures"):
        load_pictures(tmp_path / "empty")
    write(tmp_path / "flat", pictures(2))
    with pytest.raises(InvalidInputError, match="lies in no class's folder"):
        load_pictures(tmp_path / "flat")
    write(tmp_path / "one" / "a", pictures(1))
    write(tmp_path / "one" / "b", pictures(2))
    with pytest.raises(InvalidInputError, match="Class 'a' has one picture"):
        load_pictures(tmp_path / "one")
    for wrong in ({"resize": 0}, {"per_class": 0}, {"channels": 2}, {"corrupt": "ignore"}):
        with pytest.raises(InvalidInputError):
            load_pictures(folder, **wrong)


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def test_a_folder_of_idx_files(tmp_path):
    (tmp_path / "i").mkdir()
    held = {part: (pictures(6, (4, 5)), np.arange(6, dtype=np.uint8) % 3) for part in ("train", "t10k")}
    for part, (images, labels) in held.items():
        (tmp_path / "i" / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (tmp_path / "i" / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    data = load_pictures(tmp_path / "i")
    np.testing.assert_array_equal(data.X_test, held["t10k"][0].reshape(6, -1))
    np.testing.assert_array_equal(data.y_train, held["train"][1])
    assert (data.image_shape, data.target_names) == ((1, 4, 5), ("0", "1", "2"))
    (tmp_path / "i" / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(5, np.uint8)))
    with pytest.raises(InvalidInputError, match=r"images of uint8, shape \(6, 4, 5\), and labels of shape \(5,\)"):
        load_pictures(tmp_path / "i")
    (tmp_path / "i" / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(InvalidInputError, match="0 IDX files of labels for the train part"):
        load_pictures(tmp_path / "i")


def cifar(folder, n_label_bytes=1):
    """Write CIFAR's binary version by its description; return {part: (pixels, labels)}."""
    folder.mkdir()
    names = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
    if n_label_bytes == 2:
        names = {"train": ["train.bin"], "test": ["test.bin"]}
    held = {}
    for part, files in names.items():
        pixels = RNG.integers(256, size=(len(files), 4, 3072), dtype=np.uint8)
        labels = np.arange(len(files) * 4, dtype=np.uint8).reshape(-1, 4) % 3
        for i, file in enumerate(files):
            coarse = np.full((4, n_label_bytes - 1), 9, np.uint8)
            records = np.concatenate([coarse, labels[i][:, None], pixels[i]], axis=1)
            (folder / file).write_bytes(records.tobytes())
        held[part] = pixels.reshape(-1, 3072), labels.ravel()
    (folder / ("batches.meta.txt" if n_label_bytes == 1 else "fine_label_names.txt")).write_text("cat\ndog\nowl\n\n")
    return held


@pytest.mark.parametrize("n_label_bytes", [1, 2])
@pytest.mark.parametrize("packed", [False, True])
def test_cifars_binary_version(tmp_path, n_label_bytes, packed):
    path = tmp_path / "cifar-10-batches-bin"
    held = cifar(path, n_label_bytes)
    if packed:
        with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as tar:
            tar.add(path, "cifar-10-batches-bin")
        path = tmp_path / "c.tar.gz"
    data = load_pictures(path)
    for X, y, part in ((data.X_train, data.y_train, "train"), (data.X_test, data.y_test, "test")):
        np.testing.assert_array_equal(X, held[part][0])
        np.testing.assert_array_equal(y, held[part][1])
    assert (data.image_shape, data.target_names, data.note) == ((3, 32, 32), CLASSES, "")


def test_faults_of_cifars_binary_version(tmp_path):
    cifar(tmp_path / "c")
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "c", "c")
    whole = (tmp_path / "c.tar.gz").read_bytes()
    (tmp_path / "c.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptFileError, match="not a whole tar file"):
        load_pictures(tmp_path / "c.tar.gz")
    with pytest.raises(InvalidInputError, match="taken as they are"):
        load_pictures(tmp_path / "c", resize=64)
    batch = tmp_path / "c" / "data_batch_3.bin"
    batch.write_bytes(batch.read_bytes()[:-1])
    with pytest.raises(CorruptFileError, match=r"data_batch_3.bin holds 12291 bytes"):
        load_pictures(tmp_path / "c")
    batch.unlink()
    with pytest.raises(CorruptFileError, match=r"data_batch_3.bin missing"):
        load_pictures(tmp_path / "c")


def test_cifar10_prefers_the_lossless_files(tmp_path):
    held = cifar(tmp_path / "home" / "cifar-10-batches-bin")
    data = load("cifar10")
    assert (data.name, data.note) == ("cifar10", "")
    np.testing.assert_array_equal(data.X_test, held["test"][0])


@pytest.mark.data
def test_cifar10_from_the_zip_of_jpegs(monkeypatch, request):
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load("cifar10")
    assert data.X_train.shape == (50_000, 3072)
    assert np.bincount(data.y_train).tolist() == 10 * [5000]
    assert np.bincount(data.y_test).tolist() == 10 * [1000]
    assert data.note == LOSSY
    assert data.target_names[3] == "cat"
    mean = data.X_train.reshape(-1, 3, 1024)[::50].mean((0, 2)) / 255
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=0.01)  # of the lossless pictures
