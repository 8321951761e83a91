"""The helper for child processes: starting, timeouts, killing, limits and priority."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import psutil
import pytest

from explorer.jobs import process
from explorer.jobs.process import ChildProcess
from explorer.paths import ROOT
from tests.processes import is_alive, wait_for

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")


def python(code: str) -> tuple[str, ...]:
    """Return the command that runs this code."""
    return (sys.executable, "-c", textwrap.dedent(code))


def test_run_returns_the_output_and_the_exit_code() -> None:
    """Of the streams that are piped; the input is written in pieces."""
    code = "import sys; data = sys.stdin.read(); print(data.upper()); print('why', file=sys.stderr); sys.exit(3)"
    done = process.run(python(code), [b"a", b"bc"], 30, stderr="pipe")
    assert (done.stdout.strip(), done.stderr.strip(), done.code) == (b"ABC", b"why", 3)
    done = process.run(python(code), [b"a"], 30, stdout="discard", stderr="pipe")
    assert (done.stdout, done.stderr.strip()) == (b"", b"why")


def test_run_starts_in_the_root_of_the_project() -> None:
    """So that the child finds the package."""
    done = process.run(python("import os; print(os.getcwd())"), [], 30)
    assert done.stdout.decode().strip() == str(ROOT)


def children() -> set[int]:
    """Return the processes that this one has started, of whatever test."""
    return {child.pid for child in psutil.Process().children()}


def test_run_kills_a_process_that_takes_too_long() -> None:
    """Also while it does not read its input."""
    earlier = children()
    pids: set[int] = set()

    def pieces() -> Iterator[bytes]:
        pids.update(children() - earlier)
        while True:
            yield bytes(1_000_000)

    with pytest.raises(TimeoutError):
        process.run(python("import time; time.sleep(60)"), pieces(), 0.5)
    assert pids
    assert not any(map(is_alive, pids))


@pytest.mark.skipif(sys.platform == "win32", reason="processes have no groups there")
def test_a_killed_child_takes_along_what_it_started() -> None:
    """What a library forks keeps the child's stdout open; the one who reads it would wait for ever."""
    fork = "import os, time; child = os.fork(); print(os.getpid(), flush=True) if not child else None; time.sleep(60)"
    child = ChildProcess(python(fork))
    grandchild = int(child.read_line(60, 100))
    child.kill()
    assert child.read_line(60, 100) == b""
    child.wait()
    wait_for(lambda: not is_alive(grandchild))


def test_run_ends_the_process_when_its_input_fails() -> None:
    """The error is raised, and no process is left."""
    earlier = children()

    def pieces() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="the file is gone"):
        process.run(python("import sys; sys.stdin.read()"), pieces(), 30)
    assert not any(map(is_alive, children() - earlier))


def test_run_returns_the_output_of_a_process_that_does_not_read_its_input() -> None:
    """Its output says why."""
    done = process.run(python("print('no')"), (bytes(1_000_000) for _ in range(3)), 30)
    assert (done.stdout.strip(), done.code) == (b"no", 0)


def test_a_line_is_read_within_its_time() -> None:
    """Otherwise the child is killed."""
    child = ChildProcess(python("import time; print('one', flush=True); time.sleep(60)"))
    assert child.read_line(30, 100).strip() == b"one"
    assert not child.has_ended
    with pytest.raises(TimeoutError):
        child.read_line(0.2, 100)
    assert child.wait() != 0


def test_a_line_ends_with_a_line_feed_unless_the_child_has_ended_or_it_is_too_long() -> None:
    """So a caller can tell."""
    child = ChildProcess(python("print('x' * 50); print('end', end='')"))
    assert [child.read_line(30, 40) for _ in range(4)] == [b"x" * 40, b"x" * 10 + os.linesep.encode(), b"end", b""]
    assert child.wait() == 0
    assert child.end() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows priority classes")
def test_the_priority_can_be_lowered_from_outside() -> None:
    """Relative to the server's."""
    child = ChildProcess(python("import sys; sys.stdin.read()"), nice=3)
    assert psutil.Process(child._process.pid).nice() == min(os.nice(0) + 3, 19)
    child.end()


def test_nothing_but_answers_reaches_stdout() -> None:
    """What libraries print or write to descriptor 1 goes to stderr."""
    code = """
        import os
        from explorer.jobs.process import take_stdout
        output = take_stdout()
        print("noise", flush=True)
        os.write(1, b"noise")
        output.write("answer\\n")
    """
    done = process.run(python(code), [], 30, stderr="pipe")
    assert done.stdout.split() == [b"answer"]
    assert done.stderr == b"noise\nnoise"


@linux_only
@pytest.mark.parametrize(
    ("work", "outcome"),
    [
        ("bytes(300_000_000)", "MemoryError"),
        ("open('/dev/shm/too_large', 'wb').write(bytes(3_000_000))", "OSError"),
        ("bytes(1_000_000)", "fine"),
    ],
    ids=["memory", "file size", "within"],
)
def test_resources_are_limited(work: str, outcome: str) -> None:
    """Memory and the size of files raise an error that the child can catch."""
    code = f"""
        import os, signal
        from explorer.jobs.process import limit_resources
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limit_resources(200_000_000, 30, 2_000_000)
        try:
            {work}
            print("fine")
        except Exception as error:
            print(type(error).__name__)
        finally:
            if os.path.exists("/dev/shm/too_large"):
                os.remove("/dev/shm/too_large")
    """
    assert process.run(python(code), [], 60).stdout.decode().strip() == outcome


@pytest.mark.slow
@linux_only
def test_computing_time_is_limited() -> None:
    """The kernel kills the child."""
    code = "from explorer.jobs.process import limit_resources; limit_resources(10**9, 1, 10**6)\nwhile True: pass"
    assert process.run(python(code), [], 60).code < 0


@pytest.mark.parametrize("watch", ["prctl", "stdin"])
def test_a_child_ends_with_its_parent(watch: str) -> None:
    """Linux kills it; the end of stdin is a sign on every system."""
    if watch == "prctl" and sys.platform != "linux":
        pytest.skip("prctl is Linux's")
    setup = "p.end_with_parent()" if watch == "prctl" else "sys.platform = 'other'; p.end_with_parent(watch_stdin=True)"
    code = f"""
        import sys, time
        from explorer.jobs.process import ChildProcess
        child = "import sys, time; from explorer.jobs import process as p; {setup}; print('ready', flush=True)"
        child = ChildProcess((sys.executable, "-c", child + "; time.sleep(1000)"))
        child.read_line(60, 100)
        print(child._process.pid, flush=True)
        time.sleep(1000)
    """
    with subprocess.Popen(python(code), stdout=subprocess.PIPE, cwd=ROOT) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_for(lambda: not is_alive(pid))


def test_available_cores_are_at_least_one() -> None:
    """And at most those of the machine."""
    assert 1 <= process.available_cores() <= os.cpu_count()
