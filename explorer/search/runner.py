"""What one worker does for a study: claim a trial, train it, record it, until nothing is left. Free of torch.

Any number of workers on any number of machines run the same loop; all they share is Optuna's storage. A worker that is
killed leaves a running trial whose heartbeat stops: another worker fails it and puts a trial with the same parameters
in its place, so none is lost. One that only seemed dead cannot write any more, because its trial has ended.
"""

import json
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic, time
from typing import Literal, NamedTuple

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.trial import Trial
from optuna.trial import TrialState as OptunaState

from explorer.config import GoogLeNetConfig
from explorer.data.datasets import dataset_info
from explorer.errors import UserError
from explorer.search.ceilings import ceiling_of, fit_table
from explorer.search.records import Arm, PruneReason, Source, StudyRecord
from explorer.search.repeats import fail_trial, release_trial, repeat_failed_trials
from explorer.search.samplers import SeededSampler, distribution, make_pruner
from explorer.search.schedule import FinalTraining, final_trainings, next_search_arm
from explorer.search.space import dimensions
from explorer.search.spec import StudySpec
from explorer.search.storage import GRACE_S, HEARTBEAT_S, outlast_outage
from explorer.search.store import SURPLUS, StudyStore, arm_name, one_per_origin, origin
from explorer.search.trials import Report, Train, TrialResult

POLL_INTERVAL_S = 0.5  # between two reads of the requested state while a trial trains
WAIT_S = 0.5  # for other workers, where nothing can be claimed
MAX_FAILURES = 3  # trials in a row that failed unexpectedly: then the study stops


class Task(NamedTuple):
    """What a trial trains."""

    arm: Arm
    study: optuna.Study
    trial: Trial
    config: GoogLeNetConfig
    seed: int
    source: Source


class InterruptedTrialError(Exception):
    """The study was paused or stopped, or the trial was given to another worker."""


class Runner:
    """Works on a study as the worker of a name. ``train`` trains a plan."""

    def __init__(self, store: StudyStore, study_id: str, worker: str, train: Train) -> None:
        self._store, self._id, self._worker, self._train = store, study_id, worker, train
        self._dataset = dataset_info(store.head(study_id).spec.data, store.folder)
        self._arms: dict[str, optuna.Study] = {}

    def run(self) -> None:
        """Work until the study has ended, or is paused or stopped. Raises StudyError if the storage stays away."""
        while (head := outlast_outage(lambda: self._store.head(self._id))).is_active:
            try:
                task = outlast_outage(lambda head=head: self._claim(head))  # type: ignore[misc]  # mypy 2 and defaults
            except UpdateFinishedTrialError:  # it was taken for dead while it asked
                continue
            if task == "finished":
                outlast_outage(lambda: self._store.set_state(self._id, "finished"))
                return
            if task == "wait":
                threading.Event().wait(WAIT_S)
            else:
                self._do(head, task)

    # Claiming.

    def _claim(self, head: StudyRecord) -> Task | Literal["wait", "finished"]:
        record = self._store.record(self._id)
        arms = [Arm(ceiling, kind) for ceiling in range(len(head.spec.ceilings)) for kind in ("search", "random")]
        for arm in arms:
            self._repeat_lost_trials(head, arm)
        if next_arm := next_search_arm(record, arms, self._dataset):
            return self._ask_search(head, next_arm)
        if any(trial.state in ("running", "waiting") for one in arms for trial in record.arm(*one)):
            return "wait"
        must_wait = False
        for kind in ("finalists", "test"):
            for ceiling in range(len(head.spec.ceilings)):
                arm = Arm(ceiling, kind)
                self._repeat_lost_trials(head, arm)
                trainings = final_trainings(record, arm)
                trials = record.arm(*arm)
                if len(trials) < len(trainings) or any(trial.state == "waiting" for trial in trials):
                    if task := self._ask_final(head, arm, trainings):
                        return task
                    must_wait = True
                must_wait |= any(trial.state == "running" for trial in trials)
            if must_wait:
                return "wait"
        return "finished"

    def _ask_search(self, head: StudyRecord, arm: Arm) -> Task:
        spec = head.spec
        study = self._open(head, arm)
        distributions = {one.name: distribution(one) for one in dimensions(spec.space, spec.network.config)}
        trial = _ask(study)
        self._store.storage.record_heartbeat(trial._trial_id)
        for name, one in distributions.items():
            trial._suggest(name, one)
        config = fit_table(spec.space, spec.network.config, trial.params, spec.quantity, ceiling_of(spec, arm.ceiling))
        source: Source = "random" if arm.kind == "random" else "search"
        return self._started(Task(arm, study, trial, config, spec.seed, source))

    def _ask_final(self, head: StudyRecord, arm: Arm, trainings: Sequence[FinalTraining]) -> Task | None:
        """Claim the next training at the end; None where other workers have claimed the last one meanwhile.

        The storage numbers trials, so the place of a trial among those that repeat no other says which one it is.
        """
        study = self._open(head, arm)
        trial = _ask(study)
        self._store.storage.record_heartbeat(trial._trial_id)
        trials = study.get_trials(deepcopy=False)
        first = next(origin(one) for one in trials if one.number == trial.number)
        place = sum(one.number < first and origin(one) == one.number for one in trials)
        if place >= len(trainings):
            trial.set_user_attr(SURPLUS, True)
            study.tell(trial, state=OptunaState.FAIL)
            return None
        training = trainings[place]
        return self._started(Task(arm, study, trial, training.config, training.seed, training.source))

    def _started(self, task: Task) -> Task:
        for name, value in (
            ("worker", self._worker),
            ("seed", task.seed),
            ("source", task.source),
            ("config", task.config.model_dump_json()),
        ):
            task.trial.set_user_attr(name, value)
        return task

    def _open(self, head: StudyRecord, arm: Arm) -> optuna.Study:
        name = arm_name(head.id, arm, head.round)
        if name not in self._arms:
            self._arms[name] = self._open_arm(head, arm)
        return self._arms[name]

    def _open_arm(self, head: StudyRecord, arm: Arm) -> optuna.Study:
        spec = head.spec
        # The arms differ in their seeds, or else the first trials of the searched one would be the random ones.
        seed = (spec.seed * 64 + arm.ceiling * 2 + (arm.kind == "random")) % 2**31
        sampler = SeededSampler(spec.sampler if arm.kind == "search" else "random", seed)
        pruner = make_pruner(spec.pruner if arm.kind in ("search", "random") else "none", spec.first_rung)
        return self._store.open_arm(self._id, arm, head.round, sampler, pruner)

    def _repeat_lost_trials(self, head: StudyRecord, arm: Arm) -> None:
        """Put trials of workers that were killed in the queue again."""
        study = self._open(head, arm)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        for trial in study.get_trials(deepcopy=False):
            is_silent = trial.state is OptunaState.RUNNING and "worker" not in trial.user_attrs
            if is_silent and trial.datetime_start and time() - trial.datetime_start.timestamp() > 3 * GRACE_S:
                fail_trial(study, trial)  # killed before its first heartbeat
        repeat_failed_trials(study)

    # Working.

    def _do(self, head: StudyRecord, task: Task) -> None:
        spec = head.spec
        plan = spec.plan(task.config, task.seed, on_test_images=task.arm.kind == "test")
        steps = spec.evaluated_steps if task.arm.kind in ("search", "random") else ()
        with self._heartbeat(task.trial._trial_id):
            watch = _Watch(self, task)
            try:
                result = self._train(plan, steps, watch)
                outlast_outage(lambda: self._record(spec, task, result, watch.pruned))
            except InterruptedTrialError:
                outlast_outage(lambda: release_trial(task.study, task.trial.number))
            except UpdateFinishedTrialError:
                return  # another worker has it now
            except UserError as error:  # such as missing images: nothing is wrong with the trial
                message = str(error)
                outlast_outage(lambda: release_trial(task.study, task.trial.number))
                outlast_outage(lambda: self._store.set_state(self._id, "failed", message))
            except Exception as error:  # PyTorch may raise anything; the others go on
                message = f"{type(error).__name__}: {error}"[:300]
                outlast_outage(lambda: self._record_failure(spec, task, message))

    def requested_to_continue(self) -> bool:
        """Whether the study should still run."""
        return outlast_outage(lambda: self._store.head(self._id)).is_active

    @contextmanager
    def _heartbeat(self, trial_id: int) -> Iterator[None]:
        """Give a sign of life every few seconds while the block runs."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(HEARTBEAT_S):
                with suppress(Exception):  # the database may be away for a moment
                    self._store.storage.record_heartbeat(trial_id)
            self._store.storage.remove_session()

        thread = threading.Thread(target=beat, daemon=True)
        outlast_outage(lambda: self._store.storage.record_heartbeat(trial_id))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _record(self, spec: StudySpec, task: Task, result: TrialResult, pruned: PruneReason | None) -> None:
        trial = task.trial
        used = spec.training_macs(task.config, self._dataset, result.steps)
        attributes: dict[str, float | str] = {
            "macs": used,
            "seconds": result.seconds,
            "seconds_in_all": result.seconds_in_all,
            "synflow": result.synflow,
            "gradient_norm": result.gradient_norm,
        }
        if result.diverged:
            pruned = PruneReason(result.steps, 0.0, 0, 0, diverged=True)
        if pruned:
            attributes["pruned"] = json.dumps(pruned._asdict())
        if task.arm.kind == "test" and result.results:
            attributes["results"] = result.results.model_dump_json()
        for name, value in attributes.items():
            trial.set_user_attr(name, value)
        if result.accuracy is None or pruned:
            task.study.tell(trial, state=OptunaState.PRUNED)
        else:
            task.study.tell(trial, result.accuracy)

    def _record_failure(self, spec: StudySpec, task: Task, message: str) -> None:
        task.trial.set_user_attr("macs", spec.training_macs(task.config, self._dataset))
        task.trial.set_user_attr("error", message)
        task.study.tell(task.trial, state=OptunaState.FAIL)
        latest = [one for one in self._store.record(self._id).trials if one.state not in ("running", "waiting")]
        if len(latest) >= MAX_FAILURES and all(one.error for one in latest[-MAX_FAILURES:]):
            self._store.set_state(self._id, "failed", f"{MAX_FAILURES} trials in a row failed. The last one: {message}")


class _Watch:
    """Receives the reports of a trial: records them, asks the pruner, and checks that the study still runs."""

    def __init__(self, runner: Runner, task: Task) -> None:
        self._runner, self._task = runner, task
        self._checked = monotonic()
        self.pruned: PruneReason | None = None

    def __call__(self, report: Report | None) -> bool:
        """Return whether the trial should continue. Without a report only the study's state is read."""
        if monotonic() - self._checked > POLL_INTERVAL_S:
            self._checked = monotonic()
            if not self._runner.requested_to_continue():
                raise InterruptedTrialError
        if report is None:
            return True
        trial = self._task.trial
        outlast_outage(lambda: trial.report(report.accuracy, report.step))
        if not outlast_outage(trial.should_prune):
            return True
        self.pruned = outlast_outage(lambda: _reason(self._task.study, trial, report))
        return False


def _reason(study: optuna.Study, trial: Trial, report: Report) -> PruneReason:
    others = [
        one.intermediate_values[report.step]
        for one in one_per_origin(study.get_trials(deepcopy=False))
        if report.step in one.intermediate_values and one.number != trial.number
    ]
    better = sum(value > report.accuracy for value in others)
    return PruneReason(report.step, report.accuracy, better, len(others) + 1)


def _ask(study: optuna.Study) -> Trial:
    with warnings.catch_warnings():  # Optuna warns that ask and tell send no heartbeats; ours are sent above
        warnings.simplefilter("ignore")
        return study.ask()
