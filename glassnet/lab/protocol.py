"""Messages between a page and its exhibit: JSON in, one binary message out.

A request is a JSON object with an ``id`` and what to ``do``. A reply is one binary
message: a fixed header of 12 bytes (magic, length of the JSON, length of the arrays,
little-endian), a JSON object padded with spaces to a multiple of 4, and the arrays one
after the other, each padded to a multiple of 4, so that JavaScript can lay typed arrays
over the buffer without copying. Arrays are uint8 (heat maps) or float32. A request that
brings a file is such a message too: the JSON, then the file's bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from glassnet.errors import InvalidInputError
from glassnet.lab.limits import MAX_FILE, MAX_TEXT

MAGIC = b"GNF1"
DTYPES = ("uint8", "float32")
_FIXED = struct.Struct("<4sII")
_LAST_STEP = 10**9


class Request(BaseModel):
    """What every request holds; the subclasses are the kinds of request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int = Field(ge=0, le=2**53)


class Open(Request):
    """Start the exhibit with the settings of a link; bad ones are named and left out."""

    do: Literal["open"]
    settings: dict[str, Any] = {}


class Change(Request):
    """Change some settings; nothing changes if one of them is refused."""

    do: Literal["set"]
    settings: dict[str, Any]


class Step(Request):
    """Make at most ``n`` steps, fewer if they take longer than the time budget."""

    do: Literal["step"]
    n: int = Field(ge=1, le=100_000)


class Seek(Request):
    """Go to a recorded step; to one beyond the record, train towards it within the budget."""

    do: Literal["seek"]
    step: int = Field(ge=0, le=_LAST_STEP)


class Ask(Request):
    """Ask the exhibit one of its own questions."""

    do: Literal["ask"]
    question: str = Field(max_length=40)
    details: dict[str, Any] = {}


class Upload(Request):
    """Bring a file of one's own, and change settings with it."""

    do: Literal["upload"]
    kind: str = Field(max_length=40)
    settings: dict[str, Any] = {}
    data: bytes = b""


class Export(Request):
    """Ask for the stand-alone file; the reply tells how far it is, or brings it."""

    do: Literal["export"]


class Python(Request):
    """Ask for the Python code that reproduces what is on screen."""

    do: Literal["python"]


_REQUEST: TypeAdapter[Request] = TypeAdapter(
    Annotated[Open | Change | Step | Seek | Ask | Upload | Export | Python, Field(discriminator="do")]
)


class RefusedError(InvalidInputError):
    """A request that cannot be carried out; its words go to the page."""

    def __init__(self, words: str, request_id: int | None = None):
        super().__init__(words)
        self.request_id = request_id


def parse(text: str | bytes) -> Request:
    """Read one request.

    Parameters
    ----------
    text : str or bytes
        A JSON object; or, with a file, what `pack_request` wrote.

    Raises
    ------
    RefusedError
        If it is not JSON, or not a request within the declared bounds.

    Examples
    --------
    >>> parse('{"id": 1, "do": "step", "n": 5}')
    Step(id=1, do='step', n=5)
    """
    data = None
    if isinstance(text, bytes) and text.startswith(MAGIC):
        text, data = _unpack_request(text)
    if len(text) > MAX_TEXT:
        raise RefusedError(f"A request has at most {MAX_TEXT:,} bytes, got {len(text):,}.")
    try:
        message = json.loads(text)
    except ValueError as error:
        raise RefusedError(f"The message is not JSON: {error}.") from None
    if not isinstance(message, dict):
        raise RefusedError(f"The message must be a JSON object, got {type(message).__name__}.")
    number = message.get("id")
    message.pop("data", None)
    if data is not None:
        message["data"] = data
    try:
        return _REQUEST.validate_python(message)
    except ValidationError as error:
        raise RefusedError(words(error), number if isinstance(number, int) else None) from None


def pack_request(message: Mapping[str, Any], data: bytes) -> bytes:
    """Put a request and a file's bytes into one binary message.

    Examples
    --------
    >>> parse(pack_request({"id": 1, "do": "upload", "kind": "csv"}, b"0,1"))
    Upload(id=1, do='upload', kind='csv', settings={}, data=b'0,1')
    """
    head = json.dumps(message).encode()
    return b"".join([_FIXED.pack(MAGIC, len(head), len(data)), head, data])


def _unpack_request(message: bytes) -> tuple[bytes, bytes]:
    """Return the JSON and the file of a request that brings one."""
    n_head, n_data = _FIXED.unpack_from(message)[1:] if len(message) >= _FIXED.size else (0, 0)
    if len(message) != _FIXED.size + n_head + n_data:
        raise RefusedError("The message with a file has another length than it says.")
    if n_data > MAX_FILE:
        raise RefusedError(f"A file may have {MAX_FILE / 2**20:.0f} MB, got {n_data / 2**20:.1f} MB.")
    return message[_FIXED.size : _FIXED.size + n_head], message[_FIXED.size + n_head :]


def words(error: ValidationError) -> str:
    """Say in one line what was got and what is allowed.

    Examples
    --------
    >>> try:
    ...     Step(id=1, do="step", n=0)
    ... except ValidationError as error:
    ...     print(words(error))
    n: got 0; input should be greater than or equal to 1.
    """
    return " ".join(_sentence(detail) for detail in error.errors(include_url=False))


def _sentence(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    reason = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return f"{place}: {reason}" if place else reason
    got = repr(detail["input"])
    got = got if len(got) <= 60 else got[:57] + "..."
    return f"{place or 'message'}: got {got}; {reason[0].lower()}{reason[1:]}."


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Put a JSON header and named arrays into one binary message.

    Parameters
    ----------
    header : mapping
        JSON values; NaN and infinity are not JSON and raise ValueError.
    arrays : mapping of str to ndarray
        uint8 or float32, any shape.

    Examples
    --------
    >>> message = pack({"id": 1}, {"loss": np.zeros(2, np.float32)})
    >>> header, arrays = unpack(message)
    >>> arrays["loss"]
    array([0., 0.], dtype=float32)
    """
    table, parts, offset = [], [], 0
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise InvalidInputError(f"Array {name!r} has dtype {array.dtype}; messages carry {' and '.join(DTYPES)}.")
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        table.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape), "offset": offset})
        parts += [data, bytes(-len(data) % 4)]
        offset += len(data) + len(parts[-1])
    head = json.dumps({**header, "arrays": table}, separators=(",", ":"), allow_nan=False).encode()
    head += b" " * (-len(head) % 4)
    return b"".join([_FIXED.pack(MAGIC, len(head), offset), head, *parts])


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `pack` wrote.

    Raises
    ------
    InvalidInputError
        If the message has another magic or another length than its header says.
    """
    if len(message) < _FIXED.size or not message.startswith(MAGIC):
        raise InvalidInputError(f"Not a lab message: it starts with {message[:4]!r}, not {MAGIC!r}.")
    _, n_head, n_body = _FIXED.unpack_from(message)
    start = _FIXED.size + n_head
    if len(message) != start + n_body:
        raise InvalidInputError(f"A lab message of {len(message)} bytes should have {start + n_body}.")
    header = json.loads(message[_FIXED.size : start])
    arrays = {}
    for entry in header.pop("arrays"):
        count = int(np.prod(entry["shape"]))
        dtype = np.dtype(entry["dtype"]).newbyteorder("<")
        arrays[entry["name"]] = np.frombuffer(message, dtype, count, start + entry["offset"]).reshape(entry["shape"])
    return header, arrays
