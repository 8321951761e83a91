"""Workers of a study on a Ray cluster. Optional: ``requirements-cluster.txt``.

Each worker is a Ray task that may be repeated, so Ray puts it on another node when its node is gone. The trial that it
had is repeated as any other of a killed worker; nothing but the storage is shared. The nodes read the address of the
database from their own environment: it is not sent through Ray, whose logs and dashboard show what is sent.
"""

import os
import secrets
import socket
from pathlib import Path

from explorer.search.storage import StudyError


def work_on_ray(address: str, folder: Path, study_id: str, workers: int, gpus: float = 0.0) -> None:
    """Work on a study with so many tasks of one core and ``gpus`` each, until it ends or pauses. Raises StudyError."""
    try:
        import ray
    except ImportError as error:
        raise StudyError("Ray is not installed here. Install requirements-cluster.txt.") from error
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    try:
        ray.init(address=address, log_to_driver=False, ignore_reinit_error=True)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise StudyError(f"The Ray cluster cannot be reached: {str(error).splitlines()[0]}") from error
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=-1)(work_on_node)
    try:
        ray.get([task.remote(str(folder), study_id) for _ in range(workers)])
    finally:
        ray.shutdown()


def work_on_node(folder: str, study_id: str) -> None:
    """Work on a study on a node of the cluster."""
    from explorer.search.worker import work

    work(Path(folder), study_id, f"ray-{socket.gethostname()[:40]}-{secrets.token_hex(3)}")
