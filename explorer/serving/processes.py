"""Several processes of the app behind HAProxy, which keeps each browser at one of them by a cookie.

By a cookie and not by the address, because a school is one address to the outside. The processes share the data
directory, and so the class, its votes and the runs. What a session holds beside them is in the address of its page, so
the browsers of a process that ends go on at another one.
"""

import secrets
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from types import FrameType

from explorer.errors import UserError
from explorer.jobs.process import end_with_parent
from explorer.paths import ROOT

HEALTH = "/_stcore/health"
_OPEN_S = 60  # within which a process answers after its start
_END_S = 10  # within which it ends when asked to
_LOOK_S = 0.2  # between two looks at the processes
_RESTART_S = 1.0  # between two starts of one that ends again and again


class ProcessesError(UserError):
    """Several processes cannot be served here; the message says what to change."""


def balancer_config(address: str, port: int, ports: Sequence[int]) -> str:
    """Return HAProxy's configuration: it listens on an address and passes on to ``ports`` of this machine.

    A browser stays with its process. One that gives no answer for two seconds gets nobody, and whom it had is passed on
    to another at the next try.
    """
    bind = f"ipv6@{address}:{port}" if ":" in address else f"{address}:{port}"
    servers = "\n".join(f"    server app{n} 127.0.0.1:{port} cookie app{n} check" for n, port in enumerate(ports, 1))
    return f"""global
    maxconn 8000
defaults
    mode http
    maxconn 8000
    timeout connect 2s
    timeout http-request 10s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response
frontend class
    bind {bind}
    default_backend app
backend app
    balance leastconn
    http-request disable-l7-retry unless METH_GET
    cookie explorer_process insert indirect nocache httponly attr SameSite=Lax
    option httpchk GET {HEALTH} HTTP/1.1
    http-check send hdr Host 127.0.0.1
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


class Supervisor:
    """Keeps processes running: starts one again that has ended, until :meth:`stop` or a signal.

    ``commands`` gives each its command and its environment, ``health`` the address that answers when it is ready.
    """

    def __init__(
        self, commands: Mapping[str, tuple[Sequence[str], Mapping[str, str]]], health: Mapping[str, str]
    ) -> None:
        self._commands, self._health = commands, health
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._ended, self._must_renew = Event(), Event()

    @property
    def pids(self) -> dict[str, int]:
        """The processes by name."""
        return {name: process.pid for name, process in list(self._running.items())}  # another thread may start one

    def stop(self, *_: int | FrameType | None) -> None:
        """Let :meth:`run` end all processes and return. A handler of signals."""
        self._ended.set()

    def renew(self, *_: int | FrameType | None) -> None:
        """Let :meth:`run` restart those with a health address, one after another. A handler of signals."""
        self._must_renew.set()

    def run(self) -> None:
        """Start all processes and keep them running until stopped. Raises ProcessesError if one does not start."""
        try:
            for name in self._commands:
                self._start(name)
            while not self._ended.wait(_LOOK_S):
                if self._must_renew.is_set():
                    self._must_renew.clear()
                    self._renew_each()
                for name, process in self._running.items():
                    if process.poll() is not None and monotonic() - self._started[name] > _RESTART_S:
                        self._launch(name)
        finally:
            self._end_all()

    def _renew_each(self) -> None:
        for name in self._health:
            self._end(self._running[name])
            with suppress(ProcessesError):  # the loop tries again
                self._start(name)

    def _start(self, name: str) -> None:
        self._launch(name)
        if name in self._health and not self._answers(name):
            raise ProcessesError(f"The process {name} of the server did not start; the server's log has the details.")

    def _launch(self, name: str) -> None:
        command, environment = self._commands[name]
        on_posix = {} if sys.platform == "win32" else {"preexec_fn": end_with_parent}
        self._running[name] = subprocess.Popen(command, cwd=ROOT, env=environment, **on_posix)  # type: ignore[call-overload]  # the options differ by system
        self._started[name] = monotonic()

    def _answers(self, name: str) -> bool:
        end = monotonic() + _OPEN_S
        while monotonic() < end and self._running[name].poll() is None and not self._ended.is_set():
            with suppress(OSError), urllib.request.urlopen(self._health[name], timeout=_OPEN_S):
                return True
            self._ended.wait(_LOOK_S)
        return self._ended.is_set()

    def _end_all(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            self._end(process)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_haproxy() -> str:
    """Return the path of HAProxy. Raises ProcessesError where it is not installed."""
    program = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
    if program is None:
        raise ProcessesError(
            "Several processes need HAProxy before them, which is not installed here (on Debian: apt install haproxy). "
            "Install it, or leave out --processes."
        )
    return program


def serve_several(count: int, address: str, port: int, environment: Mapping[str, str]) -> None:
    """Serve ``class_app.py`` from so many processes until a signal ends this one; SIGHUP restarts each, in turn.

    Raises ProcessesError where that is impossible.
    """
    haproxy = find_haproxy()
    ports = _free_ports(count)
    with TemporaryDirectory(prefix="explorer-") as folder:
        config = Path(folder) / "haproxy.cfg"
        config.write_text(balancer_config(address, port, ports), encoding="ascii")
        shared = {**environment, "STREAMLIT_SERVER_COOKIE_SECRET": secrets.token_hex(32)}
        shared["STREAMLIT_SERVER_ADDRESS"] = "127.0.0.1"
        names = {f"app{number}": str(free) for number, free in enumerate(ports, 1)}
        apps = {
            name: ([sys.executable, str(ROOT / "class_app.py")], shared | {"STREAMLIT_SERVER_PORT": free})
            for name, free in names.items()
        }
        supervisor = Supervisor(
            {**apps, "haproxy": ([haproxy, "-db", "-f", str(config)], environment)},
            {name: f"http://127.0.0.1:{free}{HEALTH}" for name, free in names.items()},
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, supervisor.stop)
        if sys.platform != "win32":
            signal.signal(signal.SIGHUP, supervisor.renew)
        supervisor.run()


def _free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody uses."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
