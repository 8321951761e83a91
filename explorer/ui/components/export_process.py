"""Exports that need PyTorch, made by the command line in another process, so that the server never loads it."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from explorer.config import GoogLeNetConfig
from explorer.export.size import Binary
from explorer.jobs import process
from explorer.share import to_json
from explorer.ui.components.downloads import CannotMakeError

_COMMAND = (sys.executable, "-m", "explorer")
_TIMEOUT_S = 120
_NICE = 10
_one_at_a_time = Lock()


def run_export(config: GoogLeNetConfig, kind: Binary, weights: Path | None = None) -> bytes:
    """Let the command line write a network to a file, one at a time, and return its bytes.

    ``weights`` is a safetensors file of this app with the network's weights; without it they are random.

    Raises CannotMakeError with the reason if that fails or takes too long.
    """
    with TemporaryDirectory() as folder, _one_at_a_time:
        file = Path(folder) / "file"
        command = [*_COMMAND, "export", "-", "--format", kind, "--output", str(file)]
        command += ["--weights", str(weights)] if weights else []
        document = to_json(config).encode()
        try:
            completed = process.run(command, (document,), _TIMEOUT_S, stdout="discard", stderr="pipe", nice=_NICE)
        except TimeoutError:
            raise CannotMakeError(f"The export took longer than {_TIMEOUT_S} seconds and was stopped.") from None
        if completed.code:
            raise CannotMakeError(_reason(completed.stderr.decode(errors="replace").strip(), completed.code))
        return file.read_bytes()


def _reason(stderr: str, code: int) -> str:
    """Return the message of the command line if it is a sentence; otherwise write it to the log."""
    if code == 1 and stderr and "Traceback" not in stderr:
        return stderr[-500:]
    print(stderr, file=sys.stderr)
    return f"The export process ended without a file (exit code {code}). The server's log has the details."
