"""The history is one table, and all who tell it tell the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from glassnet.history import HISTORY, markdown
from glassnet.registry import EXHIBITS

DOCS = Path(__file__).parent.parent / "docs/history.md"


def test_the_years_are_those_of_the_lecture_in_their_order():
    years = [1943, 1958, 1960, 1969, 1982, 1986, 1987, 1992, 1998, 2000, 2006, 2012, 2013, 2015, 2017]
    assert [moment.year for moment in HISTORY] == years


@pytest.mark.parametrize("moment", HISTORY, ids=lambda moment: str(moment.year))
def test_every_moment_has_people_a_source_and_a_story(moment):
    assert min(map(len, (moment.title, moment.people, moment.source))) > 5
    assert 80 < len(moment.story) < 320


def test_every_exhibit_stands_with_one_moment():
    placed = Counter(name for moment in HISTORY for name in moment.exhibits)
    placed -= Counter(["resnet"])  # AlexNet's moment and ResNet's
    assert placed == Counter(list(EXHIBITS)), "add the exhibit's name to its moment in glassnet/history.py"


def test_the_docs_hold_the_table():
    assert DOCS.read_text("utf-8") == markdown(), "glassnet list history --markdown > docs/history.md"
