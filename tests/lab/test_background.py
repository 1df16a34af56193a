"""Results that are computed in the background: progress, keeping, and what nobody waits for."""

from __future__ import annotations

import threading

import pytest

from glassnet.lab.background import Background


class Visitor:
    pass


def test_a_result_comes_once_for_all_who_ask():
    calls = []

    def compute(key, progress):
        calls.append(key)
        progress(0.5)
        return key * 2

    results, visitors = Background(compute), [Visitor(), Visitor()]
    jobs = [results.job("a", visitor) for visitor in visitors]
    assert jobs[0] is jobs[1]
    jobs[0].wait()
    assert (jobs[0].result, jobs[0].share, jobs[0].error) == ("aa", 1.0, None)
    assert results.job("a", Visitor()) is jobs[0]
    assert calls == ["a"]


def test_progress_is_seen_while_it_works():
    half, go_on = threading.Event(), threading.Event()

    def compute(key, progress):
        progress(0.5)
        half.set()
        assert go_on.wait(30)
        return key

    visitor = Visitor()
    job = Background(compute).job(1, visitor)
    assert half.wait(30)
    assert (job.share, job.is_over, job.result) == (0.5, False, None)
    go_on.set()
    job.wait()
    assert job.is_over


def test_what_nobody_waits_for_is_left_out_and_can_be_asked_for_again():
    calls, go_on = [], threading.Event()

    def compute(key, progress):
        calls.append(key)
        assert go_on.wait(30)
        return key

    results, stays, leaves = Background(compute), Visitor(), Visitor()
    first = results.job("first", stays)
    results.job("second", leaves)
    third = results.job("third", stays)
    del leaves  # before its turn
    go_on.set()
    first.wait()
    third.wait()
    assert calls == ["first", "third"]
    again = results.job("second", stays)
    again.wait()
    assert again.result == "second"


def test_a_failure_is_kept_for_its_visitors_and_tried_again_for_the_next():
    results = Background(lambda key, progress: {1: "one"}[key])
    visitor = Visitor()
    job = results.job(2, visitor)
    job.wait()
    assert isinstance(job.error, KeyError)
    assert job.result is None
    assert results.job(2, visitor) is not job


@pytest.mark.parametrize("n_kept", [1, 2])
def test_so_many_of_the_newest_are_kept(n_kept):
    results, visitor = Background(lambda key, progress: object(), n_kept), Visitor()
    jobs = [results.job(key, visitor) for key in range(3)]
    for job in jobs:
        job.wait()
    assert [results.job(key, visitor) is jobs[key] for key in (2, 1)][:n_kept] == [True] * n_kept
    assert results.job(0, visitor) is not jobs[0]
