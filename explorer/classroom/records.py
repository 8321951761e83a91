"""What the store of classes returns: frozen values, safe to share between sessions."""

from typing import Literal, NamedTuple

from explorer.errors import UserError
from explorer.lessons.question import Question

Refusal = Literal["no_class", "full", "closed", "no_question", "wrong_option", "bad_network", "too_many"]


class ClassError(UserError):
    """The database of classes cannot be used. The message says why and what to do."""


class RefusedError(Exception):
    """A request to a class that is refused; ``reason`` is a code for the sentence on the screen."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


class Target(NamedTuple):
    """Where the teacher sends the class: the file of a page, and a network's token. Each call has a new number."""

    number: int
    page: str
    network: str


class Classroom(NamedTuple):
    """A class. ``version`` changes with everything that its members should see.

    ``closed_pages`` are the files of pages that the teacher has closed.
    """

    number: int
    code: str
    version: int
    is_collecting: bool
    target: Target | None
    created: float
    closed_pages: tuple[str, ...] = ()


class Member(NamedTuple):
    """One who joined; the nickname may be empty."""

    number: int
    classroom: int
    nickname: str


class Poll(NamedTuple):
    """A question to the class. ``votes`` is how many members voted in each round so far.

    ``counts`` has a count per option for each round that is over, once the teacher reveals them; before, it is empty.
    """

    number: int
    question: Question
    round: int
    is_open: bool
    is_revealed: bool
    votes: tuple[int, ...]
    counts: tuple[tuple[int, ...], ...]


class News(NamedTuple):
    """All that every member of a class sees: read once for all of them."""

    classroom: Classroom
    poll: Poll | None


class PageCount(NamedTuple):
    """How many members are on a page, and the nicknames of those who gave one."""

    page: str
    members: int
    nicknames: tuple[str, ...]


class Overview(NamedTuple):
    """Where a class is. ``present`` members have a page open; ``idle`` of those changed nothing for some minutes."""

    joined: int
    present: int
    idle: int
    answers: int
    pages: tuple[PageCount, ...]


class HandIn(NamedTuple):
    """The network that a member handed in, with the accuracy of a run of it, if there is one."""

    nickname: str
    network: str
    accuracy: float | None
    dataset: str


class ResultRow(NamedTuple):
    """One vote, for the table of results. ``member`` counts from 1 in random order in each class."""

    question: int
    text: str
    round: int
    member: int
    option: str
    is_correct: bool
