"""Files found, downloaded, refused: against a server on 127.0.0.1 that misbehaves on request."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from glassnet.data import data_home, fetch
from glassnet.data.home import DataFile, cache_home, cached_array, content_sha256, written_beside
from glassnet.errors import CorruptFileError, DataNotFoundError, GlassnetWarning

CONTENT = np.random.default_rng(0).bytes(300_000)
PACKED = gzip.compress(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Each path is one behaviour."""

    def do_GET(self):
        self.server.asked.append(self.path)
        getattr(self, "get_" + self.path.strip("/"))()

    def reply(self, body, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def get_good(self):
        self.reply(PACKED)

    def get_plain(self):
        self.reply(CONTENT)

    def get_other(self):
        self.reply(gzip.compress(b"some other content"))

    def get_broken(self):
        self.reply(PACKED[:1000] + b"\0" * 1000 + PACKED[2000:])

    def get_short(self):
        self.reply(PACKED[: len(PACKED) // 2], len(PACKED))

    def get_cut(self):
        self.reply(PACKED[: len(PACKED) // 2])

    def get_gone(self):
        self.send_error(404)

    def get_stalls(self):
        """Send half and keep the connection open until the test has done its worst."""
        self.reply(PACKED[: len(PACKED) // 2], len(PACKED))
        self.server.half_sent.set()
        if self.server.interrupt:
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)
        self.server.released.wait(20)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.asked, server.interrupt = [], False
        server.half_sent, server.released = threading.Event(), threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.released.set()
        server.shutdown()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty, writable data home, and a home directory that is not the user's."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def known(server, *behaviours):
    port = server.server_address[1]
    return DataFile("part/digits.gz", SHA256, tuple(f"http://127.0.0.1:{port}/{name}" for name in behaviours))


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_data_home_is_named_or_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GLASSNET_DATA", "~/mine")
    assert data_home() == tmp_path / "mine"
    monkeypatch.setenv("GLASSNET_DATA", "")
    assert data_home() == tmp_path / ".cache" / "glassnet"
    monkeypatch.delenv("GLASSNET_DATA")
    assert data_home() == cache_home() == tmp_path / ".cache" / "glassnet"
    assert list(tmp_path.iterdir()) == []


def test_a_download_is_checked_kept_and_not_repeated(server, home, capfd):
    path = fetch(known(server, "good"))
    assert path == home / "part" / "digits.gz"
    assert path.read_bytes() == PACKED
    assert fetch(known(server, "good")) == path
    assert server.asked == ["/good"]
    assert files(home) == ["part/digits.gz"]
    assert capfd.readouterr() == ("", "")  # no terminal, no bar


def test_progress_is_drawn_on_stderr_of_a_terminal(server, home, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    fetch(known(server, "good"))
    out, err = capsys.readouterr()
    assert out == ""
    assert "digits.gz" in err
    assert "300.1/300.1 kB" in err


def test_only_the_content_counts_not_the_packing(server, home):
    (home / "part").mkdir(parents=True)
    (home / "part" / "digits.gz").write_bytes(gzip.compress(CONTENT, 0))
    fetch(known(server, "gone"))
    (home / "part" / "digits.gz").unlink()
    assert fetch(known(server, "plain")).read_bytes() == CONTENT
    assert server.asked == ["/plain"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("gone", "404"),
        ("other", "what came has SHA-256"),
        ("broken", "does not decompress"),
        ("short", "IncompleteRead|does not decompress"),
        ("cut", "does not decompress"),
    ],
)
def test_what_is_not_the_file_never_gets_its_name(server, home, behaviour, reason):
    with pytest.raises(DataNotFoundError, match=reason):
        fetch(known(server, behaviour))
    assert files(home) == []


def test_the_next_public_home_is_tried(server, home):
    assert fetch(known(server, "gone", "other", "short", "good")).read_bytes() == PACKED
    assert server.asked == ["/gone", "/other", "/short", "/good"]
    assert files(home) == ["part/digits.gz"]


def test_the_message_says_what_to_do_by_hand(server, home):
    with pytest.raises(DataNotFoundError) as caught:
        fetch(known(server, "gone", "cut"))
    for words in ("part/digits.gz", str(home / "part" / "digits.gz"), "GLASSNET_DATA", "/gone:", "/cut:"):
        assert words in str(caught.value)
    with pytest.raises(DataNotFoundError, match="no public home"):
        fetch(known(server))


def test_no_server_at_all(server, home):
    file = known(server, "good")
    server.shutdown()
    server.server_close()
    with pytest.raises(DataNotFoundError, match="refused"):
        fetch(file)


@pytest.mark.parametrize(
    "damaged", [PACKED[:-100], b"", CONTENT[:10], gzip.compress(b"other")], ids=["cut", "empty", "few", "other"]
)
def test_a_wrong_file_in_the_home_is_named_and_left_alone(server, home, damaged):
    path = home / "part" / "digits.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(damaged)
    with pytest.raises(CorruptFileError, match=str(path)):
        fetch(known(server, "good"))
    assert path.read_bytes() == damaged
    assert server.asked == []


def test_ctrl_c_leaves_nothing_half_written(server, home):
    server.interrupt = True
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores Ctrl-C
    try:
        with pytest.raises(KeyboardInterrupt):
            fetch(known(server, "stalls"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert files(home) == []
    assert fetch(known(server, "good")).read_bytes() == PACKED


def test_a_killed_process_leaves_no_file_of_that_name(server, home):
    file = known(server, "stalls")
    code = f"from glassnet.data.home import DataFile, fetch; fetch({file!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        assert server.half_sent.wait(60)
        process.kill()
    assert not (home / file.path).exists()
    assert fetch(known(server, "good")).read_bytes() == PACKED


def test_a_read_only_home_is_read_and_never_written(server, home, tmp_path):
    home.mkdir()
    home.chmod(0o555)
    path = fetch(known(server, "good"))
    assert path == tmp_path / "user" / ".cache" / "glassnet" / "part" / "digits.gz" == cache_home() / "part/digits.gz"
    assert fetch(known(server, "good")) == path
    assert server.asked == ["/good"]
    cached_array("numbers", lambda: np.arange(3))
    assert files(home) == []


def test_written_beside_keeps_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), written_beside(path) as file:
        file.writelines([b"half", None])
    assert path.read_bytes() == b"old"
    assert files(tmp_path) == ["a"]


def test_content_hash_of_plain_and_packed_files(tmp_path):
    for name, content in (("plain.gz", CONTENT), ("packed", PACKED)):
        (tmp_path / name).write_bytes(content)
        assert content_sha256(tmp_path / name) == SHA256


def test_an_array_is_made_once_and_mapped_read_only(home):
    first = cached_array("numbers", lambda: np.arange(6, dtype=np.uint8).reshape(2, 3))
    again = cached_array("numbers", lambda: pytest.fail("made twice"))
    assert isinstance(again, np.memmap)
    assert not again.flags.writeable
    assert again.tolist() == first.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert files(home) == ["decoded/numbers.npy"]


@pytest.mark.parametrize("keep", [0, 60, 130])
def test_a_damaged_cache_is_said_and_made_anew(home, keep):
    cached_array("numbers", lambda: np.arange(100))
    path = home / "decoded" / "numbers.npy"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.warns(GlassnetWarning, match="does not read"):
        assert cached_array("numbers", lambda: np.arange(100)).sum() == 4950
    assert cached_array("numbers", lambda: pytest.fail("made again")).sum() == 4950


def test_a_cache_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path / "file" / "home"))
    with pytest.warns(GlassnetWarning, match="cannot keep"):
        assert cached_array("numbers", lambda: np.arange(4)).tolist() == [0, 1, 2, 3]
