"""Several processes behind HAProxy: who loses its process goes on at another one, and one that ended starts again."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path

import psutil
import pytest

from explorer.classroom.names import new_token
from explorer.classroom.store import ClassStore
from explorer.paths import ROOT
from explorer.serving import processes
from explorer.serving.processes import ProcessesError, Supervisor, balancer_config
from tests.classroom.conftest import QUESTION
from tests.processes import is_alive, wait_for
from tests.serving.test_attacks import free_port, is_open

WAIT = ([sys.executable, "-c", "import time; time.sleep(600)"], dict(os.environ))
needs_haproxy = pytest.mark.skipif(
    not (shutil.which("haproxy") or Path("/usr/sbin/haproxy").exists()), reason="HAProxy is not installed"
)


@contextmanager
def running(supervisor: Supervisor) -> Iterator[None]:
    """Run a supervisor in a thread, and stop it at the end."""
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield
    finally:
        supervisor.stop()
        thread.join()


def test_a_browser_stays_with_its_process_by_a_cookie() -> None:
    """Not by its address; each process is watched and has a cookie of its own."""
    config = balancer_config("0.0.0.0", 8501, [4001, 4002])
    assert "bind 0.0.0.0:8501\n" in config
    assert "cookie explorer_process insert indirect nocache httponly" in config
    assert "balance source" not in config
    for line in ("server app1 127.0.0.1:4001 cookie app1 check", "server app2 127.0.0.1:4002 cookie app2 check"):
        assert line in config
    assert "bind ipv6@::1:8501\n" in balancer_config("::1", 8501, [4001])


@needs_haproxy
@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "::"])
def test_haproxy_accepts_the_configuration(address: str, tmp_path: Path) -> None:
    """Without a warning."""
    file = tmp_path / "haproxy.cfg"
    file.write_text(balancer_config(address, 8501, [4001, 4002]), encoding="ascii")
    done = subprocess.run(
        [processes.find_haproxy(), "-c", "-f", str(file)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def test_without_haproxy_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """And that one process needs none."""
    monkeypatch.setattr(processes.shutil, "which", lambda _: None)
    with pytest.raises(ProcessesError, match=r"apt install haproxy.*leave out --processes"):
        processes.find_haproxy()


def test_a_process_that_ends_is_started_again_and_all_end_with_the_supervisor() -> None:
    """The others keep running meanwhile."""
    supervisor = Supervisor({"one": WAIT, "two": WAIT}, {})
    with running(supervisor):
        wait_for(lambda: len(supervisor.pids) == 2)
        first = dict(supervisor.pids)
        os.kill(first["one"], signal.SIGKILL)
        wait_for(lambda: supervisor.pids["one"] != first["one"])
        assert supervisor.pids["two"] == first["two"]
        last = supervisor.pids
    assert not any(map(is_alive, last.values()))


@pytest.mark.slow
def test_processes_are_renewed_one_after_another() -> None:
    """While one is away the other answers; what has no health address, such as HAProxy, keeps running."""
    ports = [free_port(), free_port()]
    health = {f"app{port}": f"http://127.0.0.1:{port}/" for port in ports}
    serve = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
    commands = {f"app{port}": ([*serve, str(port)], dict(os.environ)) for port in ports}
    others: list[list[bool]] = []

    class Watched(Supervisor):
        def _launch(self, name: str) -> None:
            if name in self.pids:  # it is renewed
                others.append([is_alive(pid) for other, pid in self.pids.items() if other != name])
            super()._launch(name)

    supervisor = Watched({**commands, "balancer": WAIT}, health)
    with running(supervisor):
        wait_for(lambda: len(supervisor.pids) == 3)
        first = dict(supervisor.pids)
        supervisor.renew()
        wait_for(lambda: all(supervisor.pids[name] != first[name] for name in health))
        assert supervisor.pids["balancer"] == first["balancer"]
    assert others == [[True, True], [True, True]]


def test_a_process_that_does_not_start_ends_the_supervisor() -> None:
    """With a sentence, and nothing is left running."""
    fails = ([sys.executable, "-c", "raise SystemExit(1)"], dict(os.environ))
    supervisor = Supervisor({"one": WAIT, "app1": fails}, {"app1": f"http://127.0.0.1:{free_port()}/"})
    with pytest.raises(ProcessesError, match="app1 of the server did not start"):
        supervisor.run()
    assert not is_alive(supervisor.pids["one"])


@pytest.mark.slow
@needs_haproxy
def test_a_killed_process_costs_no_vote_and_nobody_the_page(tmp_path: Path) -> None:
    """A browser with the cookie of a killed process is answered by the other one, and its votes are there."""
    port = free_port()
    command = [sys.executable, "-m", "explorer", "serve", "--class", "--processes", "2", "--address", "127.0.0.1"]
    environment = os.environ | {"EXPLORER_DATA": str(tmp_path), "EXPLORER_DATABASE": ""}
    address = f"http://127.0.0.1:{port}/"
    with subprocess.Popen(
        [*command, "--port", str(port)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(lambda: is_open(port))
            store = ClassStore(tmp_path)
            (code,) = store.open_codes()
            classroom, token = store.find_class(code), new_token()
            member, poll = store.members.join(classroom, token).number, store.polls.start(classroom, QUESTION)
            store.polls.vote(member, poll, 1, 0)
            with urllib.request.urlopen(address) as answer:
                cookies = SimpleCookie("; ".join(one.split(";")[0] for one in answer.headers.get_all("Set-Cookie")))
            mine = cookies["explorer_process"].value
            apps = [child for child in psutil.Process(server.pid).children() if "class_app.py" in child.cmdline()[-1]]
            apps.sort(key=psutil.Process.create_time)
            apps[int(mine.removeprefix("app")) - 1].kill()
            request = urllib.request.Request(address, headers={"Cookie": f"explorer_process={mine}"})
            with urllib.request.urlopen(request) as answer:
                assert answer.status == 200
            assert store.polls.count_votes(poll, 1) == 1
            store.dispose()
        finally:
            server.terminate()
