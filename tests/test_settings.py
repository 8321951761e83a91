"""Settings from the environment: valid values are used; invalid ones raise an error with variable, value and remedy."""

import re
from pathlib import Path

import pytest

from explorer import PRESETS
from explorer.jobs import worker
from explorer.jobs.requests import CheckRequest
from explorer.settings import (
    DATA_VARIABLE,
    SETTINGS,
    EnvironmentValueError,
    data_folder,
    environment_problems,
    read_setting,
)


@pytest.fixture(autouse=True)
def unset_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset all variables of the app."""
    for name in (DATA_VARIABLE, *SETTINGS):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", SETTINGS)
def test_valid_values(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values within the bounds count, with spaces around them too; an empty one means the default."""
    default, minimum, maximum = SETTINGS[name]
    assert read_setting(name) == default
    for value, number in (("", default), (f" {minimum} ", minimum), (str(maximum), maximum)):
        monkeypatch.setenv(name, value)
        assert read_setting(name) == number
        assert environment_problems() == ()


@pytest.mark.parametrize("value", ["abc", "1.5", "-1", "1e3", "9" * 5_000])
@pytest.mark.parametrize("name", SETTINGS)
def test_invalid_values(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the variable, its value, and what is valid."""
    default, minimum, maximum = SETTINGS[name]
    monkeypatch.setenv(name, value)
    message = (
        f"The environment variable {name} is “{value[:40]}”. Set it to a whole number from {minimum:,} to {maximum:,}, "
        f"or leave it out for {default:,}."
    )
    with pytest.raises(EnvironmentValueError, match=re.escape(message)):
        read_setting(name)
    assert environment_problems() == (message,)


def test_the_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may begin with the folder of a user that exists."""
    assert data_folder().name == "inception-explorer"
    monkeypatch.setenv(DATA_VARIABLE, "~/here")
    assert data_folder() == Path.home() / "here"
    monkeypatch.setenv(DATA_VARIABLE, "~nobody-of-this-name/x")
    (message,) = environment_problems()
    assert "EXPLORER_DATA is “~nobody-of-this-name/x”" in message


def test_a_worker_reports_an_invalid_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer to a request is the message."""
    monkeypatch.setenv("EXPLORER_LIVE_MB", "much")
    request = CheckRequest(config=PRESETS["mini"], device="cpu")
    answer = worker._answer(request.model_dump_json().encode(), lambda progress: None)
    assert "EXPLORER_LIVE_MB is “much”" in answer.error
