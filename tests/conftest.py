"""What the whole suite shares: where numba keeps its code, and which tests may be skipped.

Two environment variables make a run strict; ``.ci/run`` sets them.

- ``GLASSNET_REQUIRE=data,browser``: a skipped test with one of these marks is a failure.
- ``GLASSNET_MIN_TESTS=n``: fewer than ``n`` tests that ran are a failure.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _kernel_cache() -> Path:
    """Return a folder that no other version of the kernels has written to.

    numba does not notice every change of the code it has cached, so a test must never
    meet code that was compiled from another text.
    """
    files = sorted((ROOT / "glassnet" / "learning").glob("kernels*.py"))
    text = b"".join(file.read_bytes() for file in files)
    return ROOT / ".numba_cache" / hashlib.sha256(text).hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", str(_kernel_cache()))
os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as the command line has it


def _names(variable: str) -> set[str]:
    return {name for name in os.environ.get(variable, "").split(",") if name}


def _missing(item: pytest.Item) -> str | None:
    """Return why this test cannot run here, or None."""
    if item.get_closest_marker("data") and not os.environ.get("GLASSNET_DATA"):
        return "GLASSNET_DATA names no folder of data files"
    if item.get_closest_marker("browser") and not any(map(shutil.which, BROWSERS)):
        return "no Chromium on the PATH"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if reason := _missing(item):
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Turn the skip of a test that must run into a failure."""
    report = yield
    required = [mark for mark in _names("GLASSNET_REQUIRE") if item.get_closest_marker(mark)]
    if report.skipped and required and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but GLASSNET_REQUIRE={','.join(required)}: {report.longrepr[-1]}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    """Turn the skip of a whole file into a failure: nobody could tell which marks it had."""
    report = yield
    if report.skipped and _names("GLASSNET_REQUIRE"):
        report.outcome = "failed"
        report.longrepr = f"the whole file was skipped: {report.longrepr[-1]}"
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run in which fewer tests ran than ``GLASSNET_MIN_TESTS`` asks for."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    least = int(os.environ.get("GLASSNET_MIN_TESTS", "0"))
    ran = sum(len(reporter.stats.get(outcome, ())) for outcome in ("passed", "failed", "xfailed")) if reporter else 0
    if ran < least:
        reporter.write_line(f"\nonly {ran} tests ran; GLASSNET_MIN_TESTS asks for {least}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
