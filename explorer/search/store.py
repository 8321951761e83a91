"""Studies in Optuna's storage: what is known of each, and what a reader requests.

A study of ours is several of Optuna's: one whose attributes describe it (``explorer/<id>``), and one for each arm
(``explorer/<id>/<ceiling>/<kind>``, the trainings at the end with the number of their round).
"""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any, cast

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState
from pydantic import ValidationError

from explorer.config import GoogLeNetConfig
from explorer.search.records import Arm, PruneReason, State, StudyRecord, TrialRecord, TrialState
from explorer.search.samplers import ORIGIN
from explorer.search.space import Value
from explorer.search.spec import SearchBudget, StudySpec
from explorer.search.storage import StudyError, open_storage
from explorer.search.trials import Report
from explorer.training.events import ImageResults

PREFIX = "explorer/"
SURPLUS = "surplus"  # of a trial that was started beside the last one of an arm, and is none
_ID = re.compile(r"s[0-9a-f]{12}")
_STATES: dict[OptunaState, TrialState] = {
    OptunaState.RUNNING: "running",
    OptunaState.WAITING: "waiting",
    OptunaState.COMPLETE: "complete",
    OptunaState.PRUNED: "pruned",
    OptunaState.FAIL: "failed",
}
_UNKNOWN = "There is no such study. It may have been deleted."


class StudyStore:
    """The studies of a data directory, or of the database that ``EXPLORER_DATABASE`` names. Raises StudyError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = open_storage(folder)
        self.storage = optuna.storages._CachedStorage(self._database)  # trials that have ended are read once

    def close(self) -> None:
        """Close all connections."""
        self._database.remove_session()
        self._database.engine.dispose()

    # What a reader requests.

    def create(self, spec: StudySpec, workers: int = 1) -> str:
        """Add a study, which starts as soon as there are workers, and return its id."""
        study_id = f"s{secrets.token_hex(6)}"
        head = self.storage.create_new_study([StudyDirection.MAXIMIZE], f"{PREFIX}{study_id}")
        for name, value in (
            ("spec", spec.model_dump_json()),
            ("created", time()),
            ("workers", workers),
            ("round", 0),
            ("message", ""),
            ("state", "running"),
        ):
            self.storage.set_study_user_attr(head, name, value)
        return study_id

    def set_state(self, study_id: str, state: State, message: str = "") -> None:
        """Let a study run, pause, stop or end."""
        head = self._head(study_id)
        self.storage.set_study_user_attr(head, "message", message)
        self.storage.set_study_user_attr(head, "state", state)

    def set_workers(self, study_id: str, workers: int) -> None:
        """Set how many local workers a study should have."""
        self.storage.set_study_user_attr(self._head(study_id), "workers", workers)

    def extend(self, study_id: str, amount: float) -> None:
        """Add to the budget of a study and let it run. Its trainings at the end are repeated from new seeds."""
        record = self.record(study_id)
        head = self._head(study_id)
        spec = record.spec
        budget = SearchBudget(kind=spec.budget.kind, amount=spec.budget.amount + amount)
        if any(trial.arm.kind in ("finalists", "test") for trial in record.trials):
            self.storage.set_study_user_attr(head, "round", record.round + 1)
        self.storage.set_study_user_attr(head, "spec", spec.replace(budget=budget).model_dump_json())
        self.set_state(study_id, "running")

    def delete(self, study_id: str) -> None:
        """Delete a study with its trials."""
        for name in self._names(study_id):
            with suppress(KeyError):
                self.storage.delete_study(self.storage.get_study_id_from_name(name))

    # What is read.

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all studies, in no particular order."""
        names = (study.study_name for study in self.storage.get_all_studies())
        return tuple(name.removeprefix(PREFIX) for name in names if _is_head(name))

    def heads(self) -> Iterator[StudyRecord]:
        """Yield all readable studies without their trials, the latest first."""
        found = []
        for study_id in self.ids():
            with suppress(StudyError):
                found.append(self.head(study_id))
        yield from sorted(found, key=lambda record: -record.created)

    def unreadable(self) -> tuple[str, ...]:
        """Return the ids of studies that another version of the app has written."""
        found = []
        for study_id in self.ids():
            try:
                self.head(study_id)
            except StudyError:
                found.append(study_id)
        return tuple(found)

    def head(self, study_id: str) -> StudyRecord:
        """Return a study without its trials. Raises StudyError for an unknown one, and one of another version."""
        attributes = self.storage.get_study_user_attrs(self._head(study_id))
        try:
            spec = StudySpec.model_validate_json(attributes["spec"])
            return StudyRecord(
                study_id,
                spec,
                cast(State, attributes["state"]),
                str(attributes["message"]),
                float(attributes["created"]),
                int(attributes["workers"]),
                int(attributes["round"]),
                (),
            )
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            raise StudyError(
                f"The study {study_id} was written by another version of the app. Use that one."
            ) from error

    def record(self, study_id: str) -> StudyRecord:
        """Return a study with its trials. Raises StudyError for an unknown one, and one of another version."""
        head = self.head(study_id)
        trials: list[TrialRecord] = []
        for ceiling in range(len(head.spec.ceilings)):
            for kind in ("search", "random", "finalists", "test"):
                arm = Arm(ceiling, kind)
                trials += (to_record(head, arm, trial) for trial in self.trials(study_id, arm, head.round))
        return StudyRecord(**{**vars(head), "trials": tuple(trials)})

    def trials(self, study_id: str, arm: Arm, round_number: int) -> list[FrozenTrial]:
        """Return the trials of an arm, each once: of repeated ones the first that ended, else the latest."""
        try:
            arm_id = self.storage.get_study_id_from_name(arm_name(study_id, arm, round_number))
        except KeyError:
            return []
        return one_per_origin(self.storage.get_all_trials(arm_id, deepcopy=False))

    def open_arm(
        self,
        study_id: str,
        arm: Arm,
        round_number: int,
        sampler: optuna.samplers.BaseSampler,
        pruner: optuna.pruners.BasePruner,
    ) -> optuna.Study:
        """Return Optuna's study of an arm, which is created if it is missing."""
        return optuna.create_study(
            storage=self.storage,
            study_name=arm_name(study_id, arm, round_number),
            direction="maximize",
            sampler=sampler,
            pruner=pruner,
            load_if_exists=True,
        )

    def _head(self, study_id: str) -> int:
        if not _ID.fullmatch(study_id):
            raise StudyError(_UNKNOWN)
        try:
            return self.storage.get_study_id_from_name(f"{PREFIX}{study_id}")
        except KeyError as error:
            raise StudyError(_UNKNOWN) from error

    def _names(self, study_id: str) -> list[str]:
        own = f"{PREFIX}{study_id}"
        names = [study.study_name for study in self.storage.get_all_studies()]
        return [name for name in names if name == own or name.startswith(f"{own}/")]


def _is_head(name: str) -> bool:
    return name.startswith(PREFIX) and bool(_ID.fullmatch(name.removeprefix(PREFIX)))


def arm_name(study_id: str, arm: Arm, round_number: int) -> str:
    """Return the name of Optuna's study of an arm."""
    kind = f"{arm.kind}.{round_number}" if arm.kind in ("finalists", "test") else arm.kind
    return f"{PREFIX}{study_id}/{arm.ceiling}/{kind}"


def origin(trial: FrozenTrial) -> int:
    """Return the number of the trial that this one repeats, or its own."""
    return int(trial.system_attrs.get(ORIGIN, trial.number))


def one_per_origin(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Return each trial once, in order: of repeated ones the first that ended, else the latest; no surplus ones."""
    found: dict[int, FrozenTrial] = {}
    for trial in trials:
        if SURPLUS in trial.user_attrs:
            continue
        known = found.get(origin(trial))
        if known is None or not _has_ended(known):
            found[origin(trial)] = trial
    return [found[number] for number in sorted(found)]


def _has_ended(trial: FrozenTrial) -> bool:
    return trial.state in (OptunaState.COMPLETE, OptunaState.PRUNED) or "error" in trial.user_attrs


def to_record(head: StudyRecord, arm: Arm, trial: FrozenTrial) -> TrialRecord:
    """Return what is known of a trial. Attributes that are missing or damaged count as unknown."""
    attributes: dict[str, Any] = trial.user_attrs
    config: GoogLeNetConfig | None = None
    with suppress(KeyError, ValidationError):
        config = GoogLeNetConfig.model_validate_json(attributes["config"])
    state = _STATES[trial.state]
    if state == "failed" and "error" not in attributes:
        state = "waiting"  # it will be repeated
    reason, results = attributes.get("pruned"), attributes.get("results")
    return TrialRecord(
        arm=arm,
        number=origin(trial),
        state=state,
        config=config,
        point=cast(dict[str, Value], trial.params),
        seed=int(attributes.get("seed", head.spec.seed)),
        accuracy=trial.value if trial.state is OptunaState.COMPLETE else None,
        reports=tuple(Report(step, value) for step, value in sorted(trial.intermediate_values.items())),
        macs=int(attributes.get("macs", 0)),
        seconds=float(attributes.get("seconds", 0.0)),
        seconds_in_all=float(attributes.get("seconds_in_all", 0.0)),
        worker=str(attributes.get("worker", "")),
        source=attributes.get("source", "random" if arm.kind == "random" else "search"),
        pruned=PruneReason(**json.loads(reason)) if reason else None,
        error=str(attributes.get("error", "")),
        synflow=attributes.get("synflow"),
        gradient_norm=attributes.get("gradient_norm"),
        results=ImageResults.model_validate_json(results) if results else None,
    )
