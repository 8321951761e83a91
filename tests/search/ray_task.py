"""What a Ray task of the tests does: the work of a worker, without PyTorch."""

import secrets
import time
from pathlib import Path

from explorer.search.runner import Runner
from explorer.search.store import StudyStore
from explorer.training.plan import Plan
from tests.search.studies import make_train


def work_on_node(folder: str, study_id: str) -> None:
    """Work on a study on a node of the cluster, with trainings that take a moment."""

    def pause(plan: Plan) -> None:
        time.sleep(0.4)

    Runner(StudyStore(Path(folder)), study_id, f"ray-{secrets.token_hex(3)}", make_train(pause)).run()
