"""A class under load: sessions that speak Streamlit's protocol edit the table, join, and vote, and check the answers.

The clients share the machine with the server. Edits are compared with a bare Streamlit page with the same editor under
the same load; the pause that lets a browser draw (``_DRAWING_S``) is part of the app's answer and taken off.
"""

import asyncio
import os
import random
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import NamedTuple

from benchmarks.browser import free_port, server
from benchmarks.report import Measurement
from benchmarks.streamlit_client import Session
from explorer import PRESETS, summarize
from explorer.classroom.names import new_token
from explorer.classroom.store import ClassStore
from explorer.lessons.openings import opening_question
from explorer.serving.processes import ProcessesError, find_haproxy

ROOT = Path(__file__).parent.parent
PAUSE_S = 0.1  # of the app, in which a browser draws the first numbers
ROW, MODULE, HEADING, FIELD = 2, "4a", "#3×3", "ch3x3"
QUESTION = opening_question("reduction")


class Load(NamedTuple):
    """So many sessions, each with an edit every ``period_s`` seconds on average, for ``seconds``."""

    sessions: int
    period_s: float
    seconds: float


class Outcome(NamedTuple):
    """The seconds of every edit, the wrong answers and errors, and the bytes for an edit."""

    seconds: list[float]
    wrong: int
    errors: int
    bytes_per_edit: float


def percentile(seconds: list[float], part: float) -> float:
    """Return the time that this part of the requests took at most."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@contextmanager
def class_server(processes: int = 1) -> Iterator[tuple[str, ClassStore, str]]:
    """Serve a class from so many processes; return the address, the store and the code."""
    with TemporaryDirectory(prefix="explorer-") as folder:
        port = free_port()
        command = ["-m", "explorer", "serve", "--class", "--port", str(port), "--address", "127.0.0.1"]
        command += ["--processes", str(processes)]
        environment = os.environ | {"EXPLORER_DATA": folder, "EXPLORER_SESSIONS": "1000"}
        output = subprocess.DEVNULL
        with subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=output) as process:
            address = f"http://127.0.0.1:{port}"
            try:
                _wait_for(f"{address}/class/health")
                store = ClassStore(Path(folder))
                yield address, store, store.open_codes()[0]
                store.dispose()
            finally:
                process.terminate()


def _wait_for(address: str) -> None:
    end = monotonic() + 60
    while monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            sleep(0.2)
    raise TimeoutError(address)


@asynccontextmanager
async def opened(sessions: list[Session], within_s: float) -> AsyncIterator[list[float]]:
    """Open sessions at random moments of a time, and return how long each page took."""

    async def open_one(session: Session) -> float:
        await asyncio.sleep(random.uniform(0, within_s))
        return await session.open()

    times = await asyncio.gather(*map(open_one, sessions))
    try:
        yield times
    finally:
        await asyncio.gather(*(session.close() for session in sessions))


async def edit_under_load(address: str, load: Load, expected: Callable[[int], str]) -> Outcome:
    """Edit one cell of the table in all sessions; ``expected`` is the text that an answer must have."""
    sessions = [Session(address) for _ in range(load.sessions)]
    seconds: list[float] = []
    wrong = 0

    async def edit_on(session: Session) -> None:
        nonlocal wrong
        end = monotonic() + load.seconds
        await asyncio.sleep(random.uniform(0, load.period_s))
        while monotonic() < end:
            start = monotonic()
            value = random.randrange(100, 400)
            seconds.append(await session.type_into_cell(ROW, HEADING, value, until=expected(value)))
            wrong += not any(expected(value) in text for text in session.html.values())
            await asyncio.sleep(max(0.0, random.uniform(0.5, 1.5) * load.period_s - (monotonic() - start)))

    async with opened(sessions, 10):
        before = sum(session.bytes_received for session in sessions)
        await asyncio.gather(*map(edit_on, sessions))
        received = sum(session.bytes_received for session in sessions) - before
        errors = sum(len(session.errors) for session in sessions)
    return Outcome(seconds, wrong, errors, received / max(1, len(seconds)))


def app_total(value: int) -> str:
    """Return the number of parameters that the app must show after the edit."""
    config = PRESETS["paper"]
    modules = [m.replace(**{FIELD: value}) if m.name == MODULE else m for m in config.modules]
    return f"{summarize(config.replace(modules=tuple(modules))).parameters(aux=False):,}"


def bare_total(value: int) -> str:
    """Return the line that the bare page must show after the edit."""
    modules = PRESETS["paper"].modules
    names = ("ch1x1", "ch3x3_reduce", "ch3x3", "ch5x5_reduce", "ch5x5", "pool_proj")
    total = sum(getattr(module, name) or 0 for module in modules for name in names)
    old = next(module.ch3x3 for module in modules if module.name == MODULE)
    return f"total {total - old + value:,}"


async def wire_bytes_of_an_edit(address: str, edits: int = 10) -> float:
    """Return the bytes that an edit of one session takes on the wire, on average, with compression."""
    session = Session(address)
    session.count_on_wire()
    await session.open()
    before = session.bytes_on_wire
    for value in range(100, 100 + edits):
        await session.type_into_cell(ROW, HEADING, value)
    await session.close()
    return (session.bytes_on_wire - before) / edits


async def edits_beside_a_flood(address: str, reruns: int = 500, edits: int = 30) -> tuple[list[float], list[float]]:
    """Return the seconds of edits alone, and while another tab has requested so many runs at once."""
    session, other = Session(address), Session(address)
    await session.open()
    await other.open()

    async def edit(first: int) -> list[float]:
        times = []
        for value in range(first, first + edits):
            times.append(await session.type_into_cell(ROW, HEADING, value, until=app_total(value)))
            assert any(app_total(value) in text for text in session.html.values()), "a wrong answer"
            await asyncio.sleep(0.1)
        return times

    alone = await edit(100)
    flood = asyncio.create_task(other.flood(reruns))
    beside = await edit(200)
    assert flood.cancel(), "the flood ended before the edits"
    await asyncio.wait([flood])
    for each in (session, other):
        await each.close()
    return alone, beside


async def vote(address: str, store: ClassStore, code: str, voters: int) -> tuple[list[float], list[float], bool]:
    """Let a class join by opening its page, and vote. Return both times, and whether all votes were counted."""
    classroom = store.find_class(code)
    assert classroom is not None
    tokens = [new_token() for _ in range(voters)]
    for token in tokens:
        store.members.join(classroom, token)
    sessions = [Session(address, "join", cookies=f"explorer_member={token}") for token in tokens]
    async with opened(sessions, 10) as page_times:
        poll = store.polls.start(classroom, QUESTION)
        key = f"class_vote_{poll}_1"
        await _gather(sessions, lambda session: session.run(None, session.widget("class_news")[2]))

        async def cast(session: Session) -> float:
            await asyncio.sleep(random.uniform(0, 3))
            return await session.choose(key, random.randrange(len(QUESTION.options)), until="Your vote is")

        vote_times = list(await asyncio.gather(*map(cast, sessions)))
        store.polls.reveal(classroom)
        news = store.news(classroom)
    assert news is not None
    assert news.poll is not None
    return page_times, vote_times, sum(news.poll.counts[0]) == voters


async def _gather(sessions: list[Session], act: Callable[[Session], Awaitable[object]]) -> None:
    for start in range(0, len(sessions), 20):
        await asyncio.gather(*map(act, sessions[start : start + 20]))


def measurements() -> Iterator[Measurement]:
    """Measure edits of 30, 200 and 400 sessions, and 200 students who join and vote."""
    small, large = Load(30, 5, 30), Load(200, 10, 40)
    with server("benchmarks/apps/bare.py") as (bare, _):
        baseline = asyncio.run(edit_under_load(bare.rstrip("/"), small, bare_total))
    with class_server() as (address, _, _code):
        few = asyncio.run(edit_under_load(address, small, app_total))
        many = asyncio.run(edit_under_load(address, large, app_total))
        on_wire = asyncio.run(wire_bytes_of_an_edit(address))
        alone, beside = asyncio.run(edits_beside_a_flood(address))
    ratio = max(0.0, percentile(few.seconds, 0.95) - PAUSE_S) / percentile(baseline.seconds, 0.95)
    yield Measurement("30 sessions at 5 s: p95 of an edit, against a bare page", ratio, maximum=1.5)
    yield Measurement("200 sessions at 10 s: p95 of an edit", 1_000 * percentile(many.seconds, 0.95), "ms", maximum=400)
    yield Measurement("sent for an edit, before compression", many.bytes_per_edit / 1_000, "kB")
    yield Measurement("sent for an edit, compressed as on the wire", on_wire / 1_000, "kB", maximum=40)
    slowed = percentile(beside, 0.5) / percentile(alone, 0.5)
    yield Measurement("an edit while another tab requests 500 runs at once, against alone", slowed)
    yield Measurement("the slowest of those edits", 1_000 * max(beside), "ms", maximum=250)
    wrong = few.wrong + many.wrong + few.errors + many.errors
    yield Measurement(f"wrong answers and errors, of {len(few.seconds + many.seconds)} edits", wrong, "", maximum=0)
    with class_server() as (address, store, code):
        pages, votes, are_right = asyncio.run(vote(address, store, code, 200))
    yield Measurement("200 open the page of the class within 10 s: the slowest", max(pages), "s", maximum=5)
    yield Measurement(
        "200 vote within 3 s: p95 of seeing the own vote", 1_000 * percentile(votes, 0.95), "ms", maximum=500
    )
    yield Measurement("counts that are wrong", int(not are_right), "", maximum=0)
    try:
        find_haproxy()
    except ProcessesError:  # then there is nothing to measure
        return
    with class_server(processes=2) as (address, _, _code):
        most = asyncio.run(edit_under_load(address, Load(400, 10, 40), app_total))
    yield Measurement(
        "400 sessions at 10 s over two processes: p95 of an edit",
        1_000 * percentile(most.seconds, 0.95),
        "ms",
        maximum=500,
    )
    yield Measurement(
        f"wrong answers and errors there, of {len(most.seconds)} edits", most.wrong + most.errors, "", maximum=0
    )
