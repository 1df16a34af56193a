"""Tar shards of pictures give what a folder of the same pictures gives, and every fault names its shard."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from glassnet import ModuleClassifier
from glassnet.data import load_pictures
from glassnet.data.tar_shards import PictureShards
from glassnet.errors import CorruptFileError, GlassnetWarning, InvalidInputError

IMAGES = np.random.default_rng(0).integers(256, size=(12, 4, 5, 3), dtype=np.uint8)
LABELS = ["cat", "dog", "owl"] * 4


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


def encoded(image: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def write(path: Path, files: dict[str, bytes], kind: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, kind) as tar:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, BytesIO(content))
    return path


def by_class(rows) -> dict[str, bytes]:
    return {f"{LABELS[i]}/{i:03d}.png": encoded(IMAGES[i]) for i in rows}


def beside(rows) -> dict[str, bytes]:
    """As WebDataset has it."""
    pairs = [((f"{i:03d}.png", encoded(IMAGES[i])), (f"{i:03d}.cls", LABELS[i].encode())) for i in rows]
    return dict(item for pair in pairs for item in pair)


def shards(folder: Path, layout=by_class) -> Path:
    for part, start in (("train", 0), ("train", 3), ("train", 6), ("test", 9)):
        write(folder / f"{part}-{start:04d}.tar", layout(range(start, start + 3)))
    return folder


@pytest.mark.parametrize("layout", [by_class, beside])
def test_shards_hold_what_was_put_into_them(tmp_path, layout):
    data = load_pictures(shards(tmp_path / "pets", layout))
    assert data.target_names == ("cat", "dog", "owl")
    for part, rows in (("train", range(9)), ("test", range(9, 12))):
        X, y = getattr(data, f"X_{part}"), getattr(data, f"y_{part}")
        got = {(label, row.tobytes()) for label, row in zip(y.tolist(), X, strict=True)}
        assert got == {(i % 3, IMAGES[i].transpose(2, 0, 1).tobytes()) for i in rows}


def test_parts_may_be_folders_of_shards_or_in_one_shard_or_nowhere(tmp_path):
    write(tmp_path / "a" / "train" / "0.tar", by_class(range(9)))
    write(tmp_path / "a" / "val" / "0.tar", by_class(range(9, 12)))
    inside = {f"train/{k}": v for k, v in by_class(range(9)).items()}
    inside |= {f"test/{k}": v for k, v in by_class(range(9, 12)).items()}
    whole = [load_pictures(path) for path in (tmp_path / "a", write(tmp_path / "b.tar", inside))]
    np.testing.assert_array_equal(whole[0].X_train, whole[1].X_train)
    np.testing.assert_array_equal(whole[0].X_test, whole[1].X_test)
    assert len(load_pictures(write(tmp_path / "c.tar", by_class(range(12))), test_size=0.25).X_test) == 3


def test_a_fit_on_shards_is_the_fit_on_a_folder(tmp_path):
    for i, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        file = tmp_path / "folder" / ("train" if i < 9 else "test") / label / f"{i // 3 * 3:04d}-{i:03d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    fits = []
    for path in (tmp_path / "folder", shards(tmp_path / "shards")):
        data = load_pictures(path)
        net = ModuleClassifier(lambda: nn.Sequential(nn.Flatten(), nn.Linear(60, 3)), image_shape=data.image_shape,
                               batch_size=4, max_iter=2, tol=None, random_state=0)  # fmt: skip
        fits.append(net.fit(data.X_train, data.y_train).state_.arrays["parameters"])
    np.testing.assert_array_equal(*fits)


def test_faults_name_the_shard(tmp_path):
    whole = write(tmp_path / "train-0.tar", by_class(range(12)))
    content = whole.read_bytes()
    for n_bytes in (len(content) // 2, 512, 2 * 1024):
        whole.write_bytes(content[:n_bytes])
        with pytest.raises(CorruptFileError, match=r"train-0\.tar (breaks off|is not a whole)"):
            PictureShards(whole)
    whole.write_bytes(b"nonsense" * 200)
    with pytest.raises(CorruptFileError, match=r"train-0\.tar is not a whole, uncompressed tar file"):
        PictureShards(whole)
    with pytest.raises(CorruptFileError, match=r"packed\.tar is not a whole, uncompressed tar file"):
        PictureShards(write(tmp_path / "packed.tar", by_class(range(3)), "w:gz"))
    with pytest.raises(InvalidInputError, match=r"9\.png in .*bare\.tar has no class.* there is no 9\.cls"):
        PictureShards(write(tmp_path / "bare.tar", {"9.png": encoded(IMAGES[0])}))


def test_a_shard_that_becomes_shorter_is_named(tmp_path):
    path = write(tmp_path / "x.tar", by_class(range(3)))
    store = PictureShards(path)
    names = [name for name, _ in store.stamps()]
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(CorruptFileError, match=r"x\.tar breaks off in owl/x/002\.png"):
        store.read(names[-1])


def test_a_picture_that_does_not_decode_is_named_or_left_out(tmp_path):
    files = by_class(range(12)) | {"dog/bad.png": b"no picture"}
    write(tmp_path / "s" / "0.tar", files)
    with pytest.raises(CorruptFileError, match=r"dog/0/bad\.png in .*s"):
        load_pictures(tmp_path / "s", random_state=1)
    with pytest.warns(GlassnetWarning, match="1 of 1?[0-9] pictures in .* left out; the first is dog/0/bad"):
        assert len(load_pictures(tmp_path / "s", corrupt="skip", random_state=1).X_train) > 5
