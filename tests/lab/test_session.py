from __future__ import annotations

import numpy as np
import pytest

from glassnet.lab.exhibit import Exhibit
from glassnet.lab.protocol import unpack
from glassnet.lab.session import Session


def test_opening_tells_settings_bounds_and_the_first_frame(visitor):
    reply = visitor("open", settings={"startValue": "2", "sizes": "4,2"})
    assert reply["settings"] == {"startValue": 2, "sizes": [4, 2], "colour": "red"}
    assert reply["schema"]["properties"]["startValue"]["maximum"] == 5
    assert reply["complaints"] == []
    assert reply["time"] == {"step": 0, "epoch": 0, "last": 0}
    assert reply["frame"]["value"] == 2
    np.testing.assert_array_equal(visitor.arrays["sizes"], [4, 2])
    np.testing.assert_array_equal(visitor.arrays["bytes"], np.full((2, 3), 2))


def test_a_link_that_is_partly_wrong_opens_with_words_on_what_was_left_out(visitor):
    reply = visitor("open", settings={"startValue": "99", "colour": "blue", "hats": "3", "sizes": "1,x"})
    assert reply["settings"] == {"startValue": 0, "sizes": [], "colour": "blue"}
    complaints = " ".join(reply["complaints"])
    assert "startValue: got '99'; input should be less than or equal to 5." in complaints
    assert "hats: got '3'; extra inputs are not permitted." in complaints
    assert "sizes.1: got 'x'" in complaints


def test_steps_and_recorded_time(visitor):
    assert visitor("step", n=30)["frame"]["value"] == 30
    assert visitor("seek", step=12)["time"] == {"step": 12, "epoch": 0, "last": 30}
    assert visitor("step", n=1)["frame"]["value"] == 13
    assert visitor("seek", step=40)["time"]["last"] == 40


def test_a_view_changes_the_picture_and_not_the_run(visitor):
    visitor("step", n=5)
    reply = visitor("set", settings={"colour": "blue"})
    assert (reply["frame"]["colour"], reply["time"]["step"]) == ("blue", 5)


def test_any_other_setting_starts_a_new_run(visitor):
    visitor("step", n=5)
    reply = visitor("set", settings={"startValue": 3})
    assert (reply["frame"]["value"], reply["time"]["last"]) == (3, 0)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"do": "set", "settings": {"startValue": 6}}, "startValue: got 6; input should be less than or equal to 5."),
        ({"do": "set", "settings": {"sizes": [1, 2, 3, 4]}}, "sizes"),
        ({"do": "set", "settings": {"__class__": "x"}}, "__class__: got 'x'; extra inputs are not permitted."),
        ({"do": "set", "settings": {"startValue": -5}}, "RuntimeError: -5 is unlucky"),
        ({"do": "step", "n": -1}, "n: got -1"),
        ({"do": "ask", "question": "why"}, "Unknown question 'why'. Allowed: sum."),
        ({"do": "ask", "question": "sum", "details": {"other": 10}}, "other: got 10"),
    ],
)
def test_what_is_refused_changes_nothing_and_the_session_goes_on(visitor, request_, words):
    visitor("step", n=5)
    assert words in visitor(**request_)["error"]
    assert visitor("step", n=1)["frame"]["value"] == 6


def test_an_exception_in_a_step_reaches_the_page_and_the_exhibit_goes_on(counter, visitor):
    counter.breaks_at = 10
    visitor("step", n=10)
    assert visitor("step", n=1)["error"] == "ZeroDivisionError: broken here"
    counter.breaks_at = -1
    assert visitor("step", n=1)["time"]["step"] == 11


def test_questions_are_answered(visitor):
    visitor("step", n=5)
    assert visitor("ask", question="sum", details={"other": 2})["answer"] == {"sum": 7}


def test_python_is_that_of_the_moment_shown(visitor):
    visitor("step", n=5)
    visitor("seek", step=3)
    assert visitor("python")["python"] == "print(3)"


@pytest.mark.parametrize("long_way", [{"do": "step", "n": 100_000}, {"do": "seek", "step": 100_000}])
def test_a_request_ends_with_its_time_budget(counter, visit, long_way):
    counter.seconds_per_step = 0.004
    assert 1 <= visit(0.02)(**long_way)["time"]["step"] < 100


def test_nothing_but_open_comes_first(counter):
    session = Session(counter)
    header, _ = unpack(session.handle('{"id": 4, "do": "step", "n": 1}'))
    assert header == {"id": 4, "error": "The exhibit is not open yet: the first request must be 'open'."}


def test_an_exhibit_that_trains_nothing_says_so(counter, visitor):
    class Still(counter):
        step = Exhibit.step

        def __init__(self, settings):
            super().__init__(settings)
            self.history = None

        def frame(self):
            return Exhibit.scene(self)

    session = Session(Still)
    header, _ = unpack(session.handle('{"id": 1, "do": "open"}'))
    assert header["time"] is None
    header, _ = unpack(session.handle('{"id": 2, "do": "step", "n": 1}'))
    assert header["error"] == "Still trains nothing, so it has no steps."
