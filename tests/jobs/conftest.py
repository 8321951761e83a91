"""Fixtures of the tests of the job queue."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.fake_worker import FakeWorker


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[FakeWorker]:
    """A fake worker. At the end its queues are closed and its processes gone, whatever the test does."""
    with FakeWorker(tmp_path) as worker:
        yield worker
