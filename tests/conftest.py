"""What all tests share: one hypothesis profile for CI and one for the desk, and the skip of GPU tests."""

import os

import pytest
from hypothesis import settings

# In CI a run is repeatable; at the desk each run looks at new examples. Building a network has no fixed duration.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked ``gpu`` where PyTorch finds no CUDA device."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--overwrite``: write the golden files anew instead of failing where they differ."""
    parser.addoption("--overwrite", action="store_true", help="write golden files anew")


@pytest.fixture
def overwrite(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return request.config.getoption("--overwrite")
