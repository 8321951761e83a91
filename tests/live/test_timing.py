"""Timing versions in turn."""

from itertools import groupby

import torch

from explorer.live.timing import time_in_turn

CPU = torch.device("cpu")


def test_versions_run_in_turn_in_alternating_order() -> None:
    """Each round has one sample of each version; every second round runs them in reverse order."""
    calls: list[str] = []
    rounds = list(
        time_in_turn([lambda: calls.append("a"), lambda: calls.append("b")], CPU, rounds=4, seconds=60),
    )
    assert [one.number for one in rounds] == [0, 1, 2, 3]
    assert all(second > 0 for one in rounds for second in one.seconds)
    assert "".join(name for name, _ in groupby(calls)) == "abababa"  # warm-up: ab; then ab, ba, ab, ba


def test_time_limits_the_rounds_but_there_are_at_least_three() -> None:
    """Also if the first round takes all the time."""
    assert len(list(time_in_turn([lambda: None], CPU, rounds=50, seconds=0))) == 3
