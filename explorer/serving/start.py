"""Start the server of a class: open the class, print how to join and the teacher's link, and serve."""

import os
import runpy
import socket
import sys
from urllib.parse import urlsplit

import segno

from explorer.classroom.names import parse_code
from explorer.classroom.store import MAX_HOURS, ClassStore, shared_store
from explorer.errors import UserError
from explorer.paths import ROOT
from explorer.serving.addresses import JOIN_PAGE, class_origin, is_loopback, join_link, network_address
from explorer.serving.processes import find_haproxy, serve_several
from explorer.serving.routes import ROOT as ROUTES
from explorer.settings import CLASS_LINK_VARIABLE, data_folder, environment_problems

if sys.platform != "win32":
    import resource

_ALL_ADDRESSES = ("0.0.0.0", "::")
_OPEN_FILES = 16_384  # two hundred browsers fetch with several connections each


class ServeError(UserError):
    """The server cannot start; the message says what to change."""


def serve_class(port: int, address: str, link: str, code: str, processes: int = 1) -> None:
    """Open a class, or the one with this code again, and serve it until a signal ends the process.

    Raises ServeError, ProcessesError or ClassError with the reason why that is impossible.
    """
    if problems := environment_problems():
        raise ServeError(" ".join(problems))
    if processes > 1:
        find_haproxy()
    origin = _origin(port, address, link)
    _require_free_port(port, address)
    store = shared_store(data_folder())
    store.close_older(MAX_HOURS)
    code, token = _open(store, code)
    print(announcement(origin, code, token), flush=True)
    os.environ.update(_environment(port, address, origin))
    _allow_open_files()
    os.chdir(ROOT)
    if processes > 1:
        serve_several(processes, address, port, os.environ)
    else:
        sys.argv = [str(ROOT / "class_app.py")]
        runpy.run_path(sys.argv[0], run_name="__main__")
    print(
        f"The server has ended. The class is stored for {MAX_HOURS} hours if its teacher did not close it; to go on "
        f"with it: python -m explorer serve --class --code {code}"
    )


def announcement(origin: str, code: str, token: str) -> str:
    """Return what the teacher reads in the terminal: the address, the code, a QR code, and the teacher's link."""
    join = join_link(origin, code)
    lines = [
        "",
        f"  Students open  {origin}/{JOIN_PAGE}  and enter the code  {code}",
        f"  or open        {join}",
        "",
        f"  You open       {origin}{ROUTES}/teacher#{token}",
        "  Show this line to nobody: who has it leads the class.",
        "",
    ]
    if is_loopback(urlsplit(origin).hostname or ""):
        lines.append("  This machine is in no network, so only its own browser reaches the class.\n")
    return "\n".join(lines) + _terminal_qr_code(join)


def _terminal_qr_code(text: str) -> str:
    """Return a QR code of block characters, dark on light, for a terminal."""
    matrix = [list(row) for row in segno.make(text, error="m").matrix_iter(border=2)]
    if len(matrix) % 2:
        matrix.append([0] * len(matrix[0]))
    halves = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}  # light is drawn, as terminals are mostly dark
    pairs = zip(matrix[::2], matrix[1::2], strict=True)
    rows = ("".join(halves[bool(a), bool(b)] for a, b in zip(up, down, strict=True)) for up, down in pairs)
    return "\n".join(f"  {row}" for row in rows) + "\n"


def _origin(port: int, address: str, link: str) -> str:
    """Return the scheme, host and port under which students reach the server."""
    if link:
        parts = urlsplit(link)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServeError(f"--link is “{link[:80]}”. It needs a scheme and a host, such as http://host:8501.")
        return f"{parts.scheme}://{parts.netloc}"
    host = network_address() or "127.0.0.1" if address in _ALL_ADDRESSES else address
    return class_origin(host, port)


def _open(store: ClassStore, text: str) -> tuple[str, str]:
    """Open a class, or again the one whose code was given. Return its code and the teacher's token."""
    if not text:
        return store.open_class()
    code = parse_code(text)
    token = store.reopen_class(code) if code else None
    if token is None:
        open_codes = ", ".join(store.open_codes()) or "none"
        raise ServeError(f"There is no class with the code “{text[:20]}”. Classes that are stored: {open_codes}.")
    return code, token


def _require_free_port(port: int, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise ServeError(
                f"{address}, port {port} cannot be used ({error.strerror}). Choose another --port."
            ) from error


def _environment(port: int, address: str, origin: str) -> dict[str, str]:
    """Return the settings of the server's process: ours, and Streamlit's for a class."""
    return {
        CLASS_LINK_VARIABLE: origin,
        "STREAMLIT_SERVER_ADDRESS": address,
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_HEADLESS": "true",
        "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
        "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": "20",
        "STREAMLIT_SERVER_MAX_WIDGET_STATE_SIZE": "1",
        "STREAMLIT_SERVER_ENABLE_WEBSOCKET_COMPRESSION": "true",
        "STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "none",
        "STREAMLIT_GLOBAL_DEVELOPMENT_MODE": "false",
    }


def _allow_open_files() -> None:
    """Raise this process's limit of open files as far as the system lets it."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
