"""Workers on a Ray cluster (explorer.search.ray_workers). Skipped where Ray is not installed, and in CI."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.search import ray_workers
from explorer.search.spec import SearchBudget
from explorer.search.storage import StudyError
from explorer.search.store import StudyStore
from tests.search.studies import SPEC

# Run in a process of its own: Ray starts many processes and threads, and changes signal handlers.
SCRIPT = """
import sys, threading, time
from pathlib import Path
from ray.cluster_utils import Cluster
from explorer.search import ray_workers
from tests.search import ray_task

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
ray_workers.work_on_node = ray_task.work_on_node

def kill() -> None:
    time.sleep(6)
    cluster.remove_node(nodes[0], allow_graceful=False)

threading.Thread(target=kill, daemon=True).start()
ray_workers.work_on_ray(cluster.address, Path(sys.argv[1]), sys.argv[2], 2)
cluster.shutdown()
"""


def test_without_ray_there_is_a_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names the file of requirements."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(StudyError, match="requirements-cluster"):
        ray_workers.work_on_ray("auto", tmp_path, "s000000000000", 1)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray: install requirements-cluster.txt")
@pytest.mark.skipif(bool(os.environ.get("CI")), reason="a cluster of three nodes is too much for CI")
def test_a_node_that_is_killed_loses_no_trial(tmp_path: Path) -> None:
    """A cluster of three nodes on this machine, of which one is killed, ends with each training once."""
    store = StudyStore(tmp_path)
    study_id = store.create(SPEC.replace(budget=SearchBudget(amount=3.0), finalists=1))
    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path), study_id], check=True, timeout=300)
    record = store.record(study_id)
    assert "finished" == record.state
    finals = [(one.source, one.seed) for one in record.arm(0, "test") if one.state == "complete"]
    assert 15 == len(finals) == len(set(finals))
    store.close()
