"""The environment: what it sets counts; what cannot be used is told with its variable, its value and the way out."""

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
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable be set from outside."""
    for name in (DATA_VARIABLE, *SETTINGS):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_set_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the bounds, blanks around it aside; empty is as good as not set."""
    usual, least, most = SETTINGS[name]
    assert read_setting(name) == usual
    for said, number in (("", usual), (f" {least} ", least), (str(most), most)):
        monkeypatch.setenv(name, said)
        assert read_setting(name) == number
        assert environment_problems() == ()


@pytest.mark.parametrize("said", ["abc", "1.5", "-1", "1e3", "9" * 5_000])
@pytest.mark.parametrize("name", SETTINGS)
def test_what_cannot_be_used_is_told(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence: the variable, what stands there, and what would be right."""
    usual, least, most = SETTINGS[name]
    monkeypatch.setenv(name, said)
    told = (
        f"The environment variable {name} is “{said[:40]}”. Set it to a whole number from {least:,} to {most:,}, or "
        f"leave it out for {usual:,}."
    )
    with pytest.raises(EnvironmentValueError, match=re.escape(told)):
        read_setting(name)
    assert environment_problems() == (told,)


def test_the_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path, of a user who is known if it begins with one."""
    assert data_folder().name == "inception-explorer"
    monkeypatch.setenv(DATA_VARIABLE, "~/here")
    assert data_folder() == Path.home() / "here"
    monkeypatch.setenv(DATA_VARIABLE, "~nobody-of-this-name/x")
    (told,) = environment_problems()
    assert "EXPLORER_DATA is “~nobody-of-this-name/x”" in told


def test_the_checking_process_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever started it: the sentence is its answer."""
    monkeypatch.setenv("EXPLORER_LIVE_MB", "much")
    request = CheckRequest(config=PRESETS["mini"], device="cpu")
    answer = worker._answer(request.model_dump_json().encode(), lambda progress: None)
    assert "EXPLORER_LIVE_MB is “much”" in answer.error
