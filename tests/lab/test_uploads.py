"""Files that visitors bring: read within bounds, or refused with words; and the exhibit then shows them."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from glassnet.errors import InvalidInputError
from glassnet.lab.limits import MAX_FILE, MAX_ROWS, MAX_TEXT
from glassnet.lab.protocol import pack_request, unpack
from glassnet.lab.session import Session
from glassnet.lab.uploads import read_digit, read_points


@pytest.mark.parametrize("text", ["1,2,0\n3,4,1\n", "a;b;c\r\n1;2;0\r\n3;4;1", "\ufeffx1\tx2\ty\n1\t2\t0\n\n3\t4\t1\n"])
def test_points_are_read_whatever_separates_them(text):
    assert read_points(text.encode()).tolist() == [[1, 2, 0], [3, 4, 1]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no rows"),
        (b"x1,x2,y\n", "holds no rows"),
        (b"1,2,0\n3,4\n", "Line 2: a row is x1,x2,class; got '3,4'"),
        (b"1,2,0\n3,nan,1\n", "Line 2: three finite numbers are needed"),
        (b"1,2,0\n3,dog,1\n", "Line 2: three finite numbers are needed; got '3,dog,1'"),
        (b"\xff\xfe\x00\x01", "not text in UTF-8"),
        (b"1,2,0\n" * (MAX_ROWS + 2), "may have 50,000 rows, got 50,002"),
    ],
)
def test_what_is_no_table_of_points_is_refused(data, words):
    with pytest.raises(InvalidInputError, match=words):
        read_points(data)


def test_as_many_rows_as_are_allowed_are_read():
    assert read_points(b"1,2,0\n" * MAX_ROWS).shape == (MAX_ROWS, 3)


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_scan_becomes_a_digit_like_those_of_mnist():
    paper = np.full((300, 200), 230, np.uint8)
    paper[40:240, 20:60] = 10  # a thick stroke, dark on light, not in the middle
    digit = read_digit(png(paper))
    rows, columns = (np.flatnonzero((digit > 128).any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (4, 23)
    assert (columns[0], columns[-1]) == (12, 15)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture", "not a picture that can be read"),
        (png(np.full((9, 9), 200, np.uint8)), "The picture is empty"),
        (png(np.zeros((8000, 8000), np.uint8)), "may have 50,000,000 pixels, got 8000 x 8000"),
    ],
)
def test_what_is_no_digit_is_refused(data, words):
    with pytest.raises(InvalidInputError, match=words):
        read_digit(data)


# the session


@pytest.fixture
def reader(counter):
    """A counter that starts at the number in a file."""

    class Reader(counter):
        uploads = {"number": int}  # noqa: RUF012

        def __init__(self, settings, own=None):
            super().__init__(settings)
            self.history.step = own or 0

    return Session(Reader)


def ask(session: Session, data: bytes | None = None, **message) -> dict:
    request = json.dumps({"id": 1, **message})
    return unpack(session.handle(request if data is None else pack_request({"id": 1, **message}, data)))[0]


def test_a_file_starts_the_exhibit_anew_with_settings_and_stays_when_they_change(reader):
    ask(reader, do="open")
    assert ask(reader, b"30", do="upload", kind="number", settings={"startValue": 2})["frame"]["value"] == 32
    assert ask(reader, do="set", settings={"startValue": 3})["frame"]["value"] == 33


def test_a_file_that_comes_first_is_shown_when_the_exhibit_opens(reader):
    assert "error" not in ask(reader, b"30", do="upload", kind="number")
    assert ask(reader, do="open")["frame"]["value"] == 30


@pytest.mark.parametrize(
    ("data", "message", "words"),
    [
        (b"30", {"kind": "hat"}, "takes no file of kind 'hat'"),
        (b"x", {"kind": "number"}, "ValueError"),
        (b"3", {"kind": "number", "settings": {"startValue": 9}}, "startValue: got 9"),
        (b"0" * (MAX_FILE + 1), {"kind": "number"}, "may have 10 MB"),
    ],
)
def test_a_refused_file_changes_nothing(reader, data, message, words):
    ask(reader, do="open")
    ask(reader, b"30", do="upload", kind="number")
    assert words in ask(reader, data, do="upload", **message)["error"]
    assert ask(reader, do="set", settings={"startValue": 3})["frame"]["value"] == 33


def test_an_exhibit_without_files_takes_none(counter):
    session = Session(counter)
    ask(session, do="open")
    assert "takes no file" in ask(session, b"1", do="upload", kind="csv")["error"]


@pytest.mark.parametrize("broken", [b"GNF1", b"GNF1\x09\x00\x00\x00\x09\x00\x00\x00{}", b"{" + b" " * MAX_TEXT])
def test_a_message_that_is_cut_or_too_long_is_refused(reader, broken):
    header, _ = unpack(reader.handle(broken))
    assert "length" in header["error"] or "at most" in header["error"]
