"""What befalls several processes: real signals, disks and files. Run as a script, this file is one of the processes."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from glassnet.errors import DistributedError
from glassnet.estimators.module import ModuleClassifier
from glassnet.learning.dropout import Dropout
from glassnet.training.checkpoint import Checkpoint, checkpoints, read
from glassnet.training.distributed import Group, code_of, joined
from glassnet.training.last_words import LastWords
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(256, size=(45, 1, 12, 12)).astype(np.uint8)
LABELS = RNG.integers(3, size=45)
SETTINGS = {"solver": "sgd", "learning_rate_init": 0.05, "max_iter": 2, "tol": None, "random_state": 3}
# a file system of its own, of 300 kB, that nobody needs to be root for
SMALL_DISK = 'mount -t tmpfs -o size=300k none "$1" && shift && "$@"; code=$?; cp -r "$KEPT" "$COPY"; exit $code'


def network() -> nn.Module:
    norm = nn.BatchNorm2d(4)
    return nn.Sequential(nn.Conv2d(1, 4, 3), norm, nn.ReLU(), Dropout(0.2), nn.Flatten(), nn.Linear(400, 3))


class Once(Observer):
    """Something that befalls a process in the middle of the second epoch, the first time that it comes there."""

    def __init__(self, mark: Path, at: int = 6):
        self.mark, self.at = mark, at

    def next_event(self, step: int) -> int | None:
        return None if self.mark.exists() or step >= self.at else self.at

    def observe(self, state: TrainingState) -> None:
        self.mark.touch()
        self.happen()

    def happen(self) -> None:
        raise NotImplementedError


class Killed(Once):
    def happen(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class AllKilled(Once):
    """The whole run: torchrun, which would start it again, and all processes."""

    def happen(self) -> None:
        others = [int(path.read_text()) for path in self.mark.parent.glob("process-*")]
        for process in [os.getppid(), *(other for other in others if other != os.getpid()), os.getpid()]:
            os.kill(process, signal.SIGKILL)


class Hung(Once):
    def happen(self) -> None:
        time.sleep(25)


class DiskFull(Once):
    """Fills the disk that the checkpoints are on."""

    def happen(self) -> None:
        with open(self.mark, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return


@pytest.fixture(scope="module")
def straight(torchrun, tmp_path_factory):
    """The last state of a run that nothing befalls."""
    folder = tmp_path_factory.mktemp("straight")
    run = torchrun(2, __file__, "train", folder)
    assert run.returncode == 0, run.stderr
    return read(checkpoints(folder)[-1])


def assert_same(folder: Path, straight) -> None:
    """Counters, losses and the checksum of all arrays are those of the undisturbed run, and so is every array."""
    found = read(checkpoints(folder)[-1])
    assert found[1] | {"seconds": 0} == straight[1] | {"seconds": 0}
    for name, array in straight[0]["arrays"].items():
        np.testing.assert_array_equal(found[0]["arrays"][name], array)


@pytest.mark.parametrize(("what", "variables"), [("killed", {}), ("hung", {"GLASSNET_EXCHANGE_SECONDS": "8"})])
def test_a_lost_process_is_started_again_and_nothing_is_lost(torchrun, straight, tmp_path, what, variables):
    run = torchrun(2, __file__, what, tmp_path, restarts=1, **variables)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "mark").exists()
    assert "Rank 0 of 2 lost another process, or waited for it in vain (" in run.stderr
    assert_same(tmp_path, straight)


def test_a_run_killed_with_all_its_processes_goes_on_where_it_was(torchrun, straight, tmp_path):
    run = torchrun(2, __file__, "all killed", tmp_path, restarts=1)
    assert run.returncode == -signal.SIGKILL
    assert [path.name for path in checkpoints(tmp_path)] == ["epoch-00001.safetensors"]
    run = torchrun(2, __file__, "train", tmp_path)
    assert run.returncode == 0, run.stderr
    assert_same(tmp_path, straight)


def test_a_full_disk_is_named_by_all_and_the_run_goes_on_where_there_is_room(torchrun, straight, tmp_path):
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*private, "mount -t tmpfs none /mnt"], check=False).returncode:
        pytest.skip("no file system of its own is to be had here")
    (tmp_path / "disk").mkdir()
    places = {"KEPT": str(tmp_path / "disk" / "run"), "COPY": str(tmp_path / "copy")}
    within = [*private, SMALL_DISK, "sh", tmp_path / "disk"]
    run = torchrun(2, __file__, "disk full", tmp_path / "disk" / "run", within=within, **places)
    assert run.returncode != 0
    assert "OSError: [Errno 28] No space left on device" in run.stderr
    assert "Rank 1 of 2 lost another process" in run.stderr
    assert "rank 0: OSError: [Errno 28] No space left on device" in run.stderr
    kept = tmp_path / "copy"
    assert [path.name for path in checkpoints(kept)] == ["epoch-00001.safetensors"]
    (kept / "mark").unlink()
    assert [path.name for path in kept.iterdir()] == ["epoch-00001.safetensors"]  # no half-written file
    run = torchrun(2, __file__, "train", kept)
    assert run.returncode == 0, run.stderr
    assert_same(kept, straight)


def test_a_corrupt_shard_is_named_by_all(torchrun, tmp_path):
    image, content = Image.new("L", (32, 32)), io.BytesIO()
    image.save(content, "PNG")
    with tarfile.open(tmp_path / "train-0.tar", "w") as tar:
        for i in range(6):
            about = tarfile.TarInfo(f"{'ab'[i % 2]}/{i}.png")
            about.size = len(content.getvalue())
            tar.addfile(about, io.BytesIO(content.getvalue()))
    shard = tmp_path / "train-0.tar"
    shard.write_bytes(shard.read_bytes()[:3000])
    run = torchrun(2, "-m", "glassnet", "train", "lenet5", "--data", tmp_path)
    assert run.returncode != 0
    assert run.stderr.count("train-0.tar breaks off") + run.stderr.count("train-0.tar is not a whole") == 2


@pytest.mark.parametrize("what", ["data", "code"])
def test_processes_that_do_not_agree_all_say_so(torchrun, tmp_path, what):
    for rank, function in enumerate(("ReLU", "Tanh")):
        (tmp_path / str(rank)).mkdir()
        text = "from torch import nn\nclass Net(nn.Sequential):\n    def forward(self, x):\n"
        (tmp_path / str(rank) / "net.py").write_text(text + f"        return nn.{function}()(super().forward(x))\n")
    run = torchrun(2, __file__, what, tmp_path)
    assert run.returncode != 0
    named = {"data": "the data", "code": "the code of the network"}[what]
    assert run.stderr.count(f"DistributedError: The processes do not agree on {named} (rank 0: ") == 2


def test_what_fails_on_one_process_fails_on_all(monkeypatch):
    def fail():
        raise FileNotFoundError(2, "No such file", "x.tar")

    monkeypatch.setattr(Group, "gather", lambda self, value: [None, "CorruptFileError: 1.tar breaks off"])
    with pytest.raises(DistributedError, match=r"Rank 0 of 2 ends with rank 1, which had CorruptFileError: 1\.tar br"):
        Group(0, 2).agree(lambda: 3)
    with pytest.raises(FileNotFoundError, match=r"x\.tar"):
        Group(1, 2).agree(fail)


def test_the_first_that_fails_has_the_last_word():
    handler, store = signal.getsignal(signal.SIGTERM), torch.distributed.HashStore()
    first, second = LastWords(store, 0), LastWords(store, 1)
    try:
        first.leave(SystemExit(0))
        assert signal.getsignal(signal.SIGTERM) is handler
        first.leave(DistributedError("Rank 0 of 2 lost another process"))
        assert second.read() == ""
        second.leave(OSError(28, "No space left on device"))
        first.leave(ValueError("too late"))
        assert first.read() == "rank 1: OSError: [Errno 28] No space left on device"
    finally:
        signal.signal(signal.SIGTERM, handler)


def test_code_is_known_by_its_files():
    assert code_of(network()) == code_of(network())
    assert code_of(network())["the code of the network"] != code_of(nn.ReLU())["the code of the network"]


def _train(folder: Path, group: Group, *befalls: Observer) -> None:
    folder.mkdir(exist_ok=True)
    watching = [Checkpoint(folder)] if group.leads else []
    held = folder if checkpoints(folder) else None
    net = ModuleClassifier(network, batch_size=14, augment="crop-flip", learning_rate="cosine", **SETTINGS)
    net.fit(PICTURES, LABELS, observers=[*watching, *befalls], resume=held)


def _main(what: str, path: str) -> None:
    folder, mark = Path(path), Path(path) / "mark"
    with joined() as group:
        if what == "data":
            ModuleClassifier(network, **SETTINGS).fit(PICTURES, np.roll(LABELS, group.rank))
        elif what == "code":
            sys.path.insert(0, str(folder / str(group.rank)))
            import net  # type: ignore[import-not-found]

            ModuleClassifier(lambda: net.Net(nn.Flatten(), nn.Linear(144, 3)), **SETTINGS).fit(PICTURES, LABELS)
        elif what == "disk full":
            _train(folder, group, *([DiskFull(mark)] if group.leads else []))
        else:
            (folder / f"process-{group.rank}").write_text(str(os.getpid()))
            befalls = {"killed": [Killed(mark)], "all killed": [AllKilled(mark)], "hung": [Hung(mark)], "train": []}[
                what
            ]
            _train(folder, group, *(befalls if group.rank == 1 else []))


if __name__ == "__main__":
    _main(*sys.argv[1:])
