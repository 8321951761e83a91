"""Votes: a state machine against a model, two processes at once, and the rules of revealing."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from explorer.classroom.names import new_token
from explorer.classroom.polls import MAX_POLLS, ROUNDS
from explorer.classroom.records import RefusedError
from explorer.classroom.store import ClassStore
from explorer.paths import ROOT
from tests.classroom.conftest import QUESTION

OPTIONS = len(QUESTION.options)


class Votes(RuleBasedStateMachine):
    """Members join, vote, change their mind and leave while a teacher starts, reveals, hides and starts again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="explorer-")
        self.store = ClassStore(Path(self.folder.name))
        self.classroom = self.store.find_class(self.store.open_class()[0])
        self.members: list[int] = []
        self.poll = 0
        self.round = 0  # 0: no question is shown
        self.is_open = self.is_revealed = False
        self.votes: dict[tuple[int, int], int] = {}

    @initialize()
    def begin(self) -> None:
        """Two members from the start."""
        self.join()
        self.join()

    @rule()
    def join(self) -> None:
        """One more member."""
        self.members.append(self.store.members.join(self.classroom, new_token()).number)

    @precondition(lambda self: len(self.members) > 1)
    @rule(place=st.integers(0, 9))
    def leave(self, place: int) -> None:
        """A member goes, and their votes with them."""
        member = self.members.pop(place % len(self.members))
        self.store.members.leave(member)
        self.votes = {key: option for key, option in self.votes.items() if key[1] != member}

    @rule()
    def start(self) -> None:
        """Ask."""
        self.poll = self.store.polls.start(self.classroom, QUESTION)
        self.round, self.is_open, self.is_revealed, self.votes = 1, True, False, {}

    @precondition(lambda self: self.round)
    @rule()
    def start_second_round(self) -> None:
        """Ask again."""
        self.store.polls.start_second_round(self.classroom)
        self.round, self.is_open = ROUNDS, True

    @precondition(lambda self: self.round)
    @rule(is_revealed=st.booleans())
    def stop(self, is_revealed: bool) -> None:
        """End the vote, with or without showing it."""
        (self.store.polls.reveal if is_revealed else self.store.polls.hide)(self.classroom)
        self.is_open, self.is_revealed = False, is_revealed

    @rule()
    def end(self) -> None:
        """Show the question no longer."""
        self.store.polls.end(self.classroom)
        self.round, self.is_open = 0, False

    @precondition(lambda self: self.poll)
    @rule(place=st.integers(0, 9), option=st.integers(-1, OPTIONS), round_=st.integers(0, ROUNDS + 1))
    def vote(self, place: int, option: int, round_: int) -> None:
        """Vote in any round, for what may not exist."""
        member = self.members[place % len(self.members)]
        is_right = self.is_open and round_ == self.round and 0 <= option < OPTIONS
        if is_right:
            self.store.polls.vote(member, self.poll, round_, option)
            self.votes[round_, member] = option
            return
        with pytest.raises(RefusedError, match=r"closed|wrong_option"):
            self.store.polls.vote(member, self.poll, round_, option)

    @invariant()
    def the_store_agrees(self) -> None:
        """It shows the counts of the rounds that are over, and only if they are revealed."""
        poll = self.store.news(self.classroom).poll
        if not self.round:
            assert poll is None
            return
        counts = [
            Counter(option for (round_, _), option in self.votes.items() if round_ == number) for number in (1, 2)
        ]
        rounds = [tuple(count[option] for option in range(OPTIONS)) for count in counts][: self.round]
        over = rounds[:-1] if self.is_open else rounds
        assert poll.votes == tuple(map(sum, rounds))
        assert poll.counts == (tuple(over) if self.is_revealed else ())
        assert poll.question == QUESTION
        for member in self.members:
            own = {round_: option for (round_, voter), option in self.votes.items() if voter == member}
            assert own == self.store.polls.own_votes(member, self.poll)

    def teardown(self) -> None:
        """Close the store."""
        self.store.dispose()
        self.folder.cleanup()


TestVotes = pytest.mark.slow(Votes.TestCase)
TestVotes.settings = settings(max_examples=max(3, settings.default.max_examples // 5), stateful_step_count=30)


VOTER = """
import sys
from pathlib import Path
from explorer.classroom.store import ClassStore
store = ClassStore(Path(sys.argv[1]))
poll, members = int(sys.argv[2]), [int(number) for number in sys.argv[3].split(",")]
print("ready", flush=True)
sys.stdin.readline()
for turn in range(3):
    for member in members:
        store.polls.vote(member, poll, 1, (member + turn) % 4)
"""


@pytest.mark.slow
def test_two_processes_vote_at_once(store: ClassStore, classroom: int, tmp_path: Path) -> None:
    """Every vote is counted, and of each member the last one; both change the votes of shared members too."""
    numbers = [store.members.join(classroom, new_token()).number for _ in range(40)]
    poll = store.polls.start(classroom, QUESTION)
    voters = [
        subprocess.Popen(
            [sys.executable, "-c", VOTER, str(tmp_path), str(poll), ",".join(map(str, group))],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for group in (numbers[:25], numbers[15:])
    ]
    for voter in voters:
        voter.stdout.readline()
    for voter in voters:
        voter.communicate("go\n")
        assert voter.returncode == 0
    store.polls.reveal(classroom)
    found = store.news(classroom).poll
    expected = Counter((number + 2) % 4 for number in numbers)
    assert found.counts == (tuple(expected[option] for option in range(4)),)
    assert found.votes == (40,)


def test_a_vote_needs_a_member_of_that_class(store: ClassStore, classroom: int) -> None:
    """One of another class, and one that does not exist, are refused."""
    poll = store.polls.start(classroom, QUESTION)
    other = store.find_class(store.open_class()[0])
    stranger = store.members.join(other, new_token()).number
    for member in (stranger, 10**6):
        with pytest.raises(RefusedError, match="no_question"):
            store.polls.vote(member, poll, 1, 0)


def test_a_new_question_ends_the_last_one(store: ClassStore, classroom: int) -> None:
    """A late vote for the old one is refused."""
    member = store.members.join(classroom, new_token()).number
    first = store.polls.start(classroom, QUESTION)
    store.polls.start(classroom, QUESTION)
    with pytest.raises(RefusedError, match="closed"):
        store.polls.vote(member, first, 1, 0)


def test_questions_have_a_limit(store: ClassStore, classroom: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than that are refused."""
    monkeypatch.setattr("explorer.classroom.polls.MAX_POLLS", 1)
    assert MAX_POLLS > 1
    store.polls.start(classroom, QUESTION)
    with pytest.raises(RefusedError, match="too_many"):
        store.polls.start(classroom, QUESTION)


def test_the_news_change_with_what_a_teacher_does(store: ClassStore, classroom: int) -> None:
    """And not with a vote, so that a vote costs the others nothing."""
    member = store.members.join(classroom, new_token()).number
    versions = [store.version(classroom)]
    poll = store.polls.start(classroom, QUESTION)
    versions.append(store.version(classroom))
    for action in (store.polls.reveal, store.polls.hide, store.polls.start_second_round, store.polls.end):
        action(classroom)
        versions.append(store.version(classroom))
    assert versions == sorted(set(versions))
    store.polls.start(classroom, QUESTION)
    before = store.version(classroom)
    store.polls.vote(member, poll + 1, 1, 0)
    assert store.version(classroom) == before


def test_the_results_name_nobody(store: ClassStore, classroom: int) -> None:
    """A row per vote; the same member has the same number in all of them."""
    voters = [store.members.join(classroom, new_token(), f"name{place}").number for place in range(5)]
    for _ in range(2):
        poll = store.polls.start(classroom, QUESTION)
        for place, member in enumerate(voters):
            store.polls.vote(member, poll, 1, place % 4)
    rows = store.polls.results(classroom)
    assert len(rows) == 10
    assert {row.question for row in rows} == {1, 2}
    assert {row.member for row in rows} == {1, 2, 3, 4, 5}
    by_member = {row.member: row.option for row in rows if row.question == 1}
    assert all(by_member[row.member] == row.option for row in rows)
    assert sum(row.is_correct for row in rows) == 2 * sum(place % 4 == QUESTION.correct_index for place in range(5))
    assert "name" not in repr(rows)
