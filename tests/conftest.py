"""What all tests share: one thread for PyTorch, one priority for all processes, hypothesis profiles and options."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything imports PyTorch, and for every process that a test starts: two workers share the cores.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["PYTHONPATH"] = str(Path(__file__).parent / "same_priority")  # for the processes too

# Every profile counts relative to hypothesis's own 100 examples (tests.strategies.examples). In CI a run is repeatable;
# otherwise each run draws new examples. Building a network has no fixed duration, so no example has a deadline.
settings.register_profile("dev", deadline=None, max_examples=25)
settings.register_profile("ci", deadline=None, max_examples=25, derandomize=True, print_blob=True)
settings.register_profile("nightly", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked ``gpu`` where PyTorch finds no CUDA device."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--overwrite``: write the golden files again instead of failing where they differ."""
    parser.addoption("--overwrite", action="store_true", help="write the golden files again")


@pytest.fixture
def overwrite(request: pytest.FixtureRequest) -> bool:
    """Whether to write the golden files again."""
    return request.config.getoption("--overwrite")
