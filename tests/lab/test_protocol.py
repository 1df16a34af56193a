from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassnet.errors import InvalidInputError
from glassnet.lab.protocol import RefusedError, Step, pack, parse, unpack

JSON = st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5)
ARRAYS = st.sampled_from([np.uint8, np.float32]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text().filter(lambda name: name != "arrays"), JSON),
    st.dictionaries(st.text(), ARRAYS, max_size=4),
)
def test_what_is_packed_is_unpacked(header, arrays):
    got_header, got_arrays = unpack(pack(header, arrays))
    assert got_header == header
    assert list(got_arrays) == list(arrays)
    for name, array in arrays.items():
        assert got_arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(got_arrays[name], array)


def test_arrays_lie_at_multiples_of_four_bytes():
    message = pack({"text": "é"}, {"a": np.zeros(3, np.uint8), "b": np.zeros(2, np.float32)})
    n_head = int.from_bytes(message[4:8], "little")
    table = json.loads(message[12 : 12 + n_head])["arrays"]
    assert n_head % 4 == 0
    assert [entry["offset"] for entry in table] == [0, 4]
    assert len(message) == 12 + n_head + 4 + 8


def test_numbers_of_other_types_are_refused():
    with pytest.raises(InvalidInputError, match="'loss' has dtype float64; messages carry uint8 and float32"):
        pack({}, {"loss": np.zeros(1)})


def test_nan_is_not_json():
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack({"loss": float("nan")}, {})


@pytest.mark.parametrize("damage", [lambda m: m[:-1], lambda m: b"XXXX" + m[4:], lambda m: m[:8], lambda m: m + b"0"])
def test_damaged_messages_are_refused(damage):
    with pytest.raises(InvalidInputError, match="lab message"):
        unpack(damage(pack({"id": 1}, {"a": np.zeros(3, np.uint8)})))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        (b"\xff", "not JSON"),
        ("[1]", "must be a JSON object, got list"),
        ('{"id": 1}', "'do'"),
        ('{"id": 1, "do": "fly"}', "'open', 'set', 'step'"),
        ('{"id": 1, "do": "step", "n": 0}', "n: got 0; input should be greater than or equal to 1"),
        ('{"id": 1, "do": "step", "n": 1e9}', "n: got 1000000000.0; input should be less than or equal to 100000"),
        ('{"id": 1, "do": "seek", "step": -1}', "step: got -1"),
        (
            '{"id": 1, "do": "step", "n": 1, "code": "import os"}',
            "code: got 'import os'; extra inputs are not permitted",
        ),
        ('{"id": 1, "do": "ask", "question": "' + "x" * 99 + '"}', "question: got"),
    ],
)
def test_requests_out_of_bounds_are_refused_with_words(text, words):
    with pytest.raises(RefusedError) as caught:
        parse(text)
    assert words in str(caught.value)


def test_a_refusal_keeps_the_number_of_its_request():
    with pytest.raises(RefusedError) as caught:
        parse('{"id": 7, "do": "step", "n": 0}')
    assert caught.value.request_id == 7


def test_a_request_is_read():
    assert parse(b'{"id": 3, "do": "step", "n": 25}') == Step(id=3, do="step", n=25)
