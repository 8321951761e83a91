"""What workers do for a study (explorer.search.runner), with a training of made-up results."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer.search.ceilings import ceiling_of, cost_of
from explorer.search.outcome import outcome
from explorer.search.records import Arm, StudyRecord, TrialRecord
from explorer.search.runner import Runner
from explorer.search.schedule import macs_used
from explorer.search.space import MAX_EXPONENT
from explorer.search.spec import SearchBudget, StudySpec
from explorer.search.store import StudyStore
from explorer.search.trials import OnReport, TrialResult
from explorer.training.plan import DATASETS, Plan
from tests.search.studies import MINI, SPEC, make_train

DATASET = DATASETS["fashion_mnist"].replace(train=9_800, test=200)
SMALL = SPEC.replace(budget=SearchBudget(amount=3.0), finalists=1)


class Killed(BaseException):
    """Stands for kill -9: nothing of ours may catch it."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StudyStore]:
    """Return a store in a new data directory."""
    store = StudyStore(tmp_path)
    yield store
    store.close()


def run(
    store: StudyStore, spec: StudySpec = SMALL, before_step: Callable[[Plan], None] = lambda plan: None
) -> StudyRecord:
    """Run a study to its end with one worker."""
    study_id = store.create(spec)
    Runner(store, study_id, "worker", make_train(before_step)).run()
    return store.record(study_id)


def facts(record: StudyRecord) -> list[tuple[object, ...]]:
    """Return what must be the same in two runs of a study."""
    return [(*one.arm, one.state, one.accuracy, one.config, one.macs, one.seed, one.source) for one in record.trials]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """Return the facts of the small study as one worker does it that nothing disturbs."""
    store = StudyStore(tmp_path_factory.mktemp("undisturbed"))
    found = facts(run(store))
    store.close()
    return found


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trials(store: StudyStore, undisturbed: list[tuple[object, ...]]) -> None:
    """Two studies with one worker have the same trials; with another seed they differ."""
    assert undisturbed == facts(run(store))
    assert undisturbed != facts(run(store, SMALL.replace(seed=1)))


@pytest.mark.slow
def test_a_study_has_its_controls_at_equal_compute(store: StudyStore) -> None:
    """Both arms use the same MACs up to a trial, no table costs more, and each final table has five new seeds."""
    record = run(store, SPEC)
    assert "finished" == record.state
    full = SPEC.training_macs(MINI, DATASET)
    used = {kind: sum(macs_used(record, one, DATASET) for one in record.arm(0, kind)) for kind in ("search", "random")}
    assert abs(used["search"] - used["random"]) <= 1.01 * full
    assert min(used.values()) >= SPEC.budget.amount * 0.98 * full
    for trial in record.trials:
        assert trial.config is not None
        assert cost_of(trial.config, "macs") <= ceiling_of(SPEC, 0)
    assert {("search", 5), ("random", 5), ("paper", 5)} == {
        (source, len({one.seed for one in record.arm(0, "test") if one.source == source}))
        for source in ("search", "random", "paper")
    }
    seeds = {kind: {one.seed for one in record.arm(0, kind)} for kind in ("search", "finalists", "test")}
    assert not seeds["search"] & seeds["finalists"]
    assert not seeds["finalists"] & seeds["test"]
    found = outcome(record, 0)
    assert ["random", "paper"] == [claim.control for claim in found.claims]
    assert all(claim.difference.seeds == 5 and claim.p is not None for claim in found.claims)
    assert all(one.pruned for one in record.trials if one.state == "pruned")


@pytest.mark.slow
def test_only_the_last_trainings_see_the_test_images(store: StudyStore) -> None:
    """The search and its finalists are evaluated on held-out training images."""
    seen: list[int] = []
    record = run(store, SMALL.replace(finalists=2), lambda plan: seen.append(plan.data.validation_images))
    finals = len(record.arm(0, "test"))
    assert {200} == set(seen[:-finals])
    assert {0} == set(seen[-finals:])


@pytest.mark.slow
@pytest.mark.parametrize("moments", [(1, 2, 3, 5), (0, 4, 9, 14, 20)])
def test_killed_workers_lose_nothing(
    store: StudyStore, undisturbed: list[tuple[object, ...]], moments: tuple[int, ...]
) -> None:
    """After kills at any moments the study has the trials that it has without, each once."""
    study_id, started = store.create(SMALL), 0

    def kill(plan: Plan) -> None:
        nonlocal started
        started += 1
        if started - 1 in moments:
            raise Killed

    while store.head(study_id).is_active:
        try:
            Runner(store, study_id, "worker", make_train(kill)).run()
        except Killed:
            forget_heartbeats(store)
    assert undisturbed == facts(store.record(study_id))


def forget_heartbeats(store: StudyStore) -> None:
    """Make the heartbeats of all running trials older than the grace period."""
    with store._database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE trial_heartbeats SET heartbeat = '2000-01-01 00:00:00'")


@pytest.mark.slow
def test_a_trial_killed_while_it_was_asked_for_is_asked_for_again(
    store: StudyStore, undisturbed: list[tuple[object, ...]]
) -> None:
    """A trial with only some of its parameters is repeated with those that an undisturbed study draws."""
    study_id = store.create(SMALL)
    head = store.head(study_id)
    study = Runner(store, study_id, "worker", make_train())._open(head, Arm(0, "search"))
    with pytest.warns(UserWarning, match="Heartbeat"):
        trial = study.ask()
    store.storage.record_heartbeat(trial._trial_id)
    trial.suggest_float("column #1×1", -MAX_EXPONENT, MAX_EXPONENT)
    forget_heartbeats(store)
    Runner(store, study_id, "worker", make_train()).run()
    assert undisturbed == facts(store.record(study_id))


@pytest.mark.slow
def test_a_paused_study_continues(store: StudyStore, undisturbed: list[tuple[object, ...]]) -> None:
    """A pause ends the trial at once; it is repeated after the study is resumed."""
    study_id = store.create(SMALL)
    started = 0

    def slow_train(plan: Plan, evaluated_steps: tuple[int, ...], on_report: OnReport) -> TrialResult:
        nonlocal started
        started += 1
        if started == 3:
            store.set_state(study_id, "paused")
            time.sleep(0.6)  # longer than the interval at which the state is read
        return make_train()(plan, evaluated_steps, on_report)

    Runner(store, study_id, "worker", slow_train).run()
    record = store.record(study_id)
    assert "paused" == record.state
    assert ["waiting"] == [one.state for one in record.trials if one.state != "complete"]
    store.set_state(study_id, "running")
    Runner(store, study_id, "worker", slow_train).run()
    assert undisturbed == facts(store.record(study_id))


@pytest.mark.slow
def test_several_workers_do_each_training_once(store: StudyStore) -> None:
    """Three workers end with every final training exactly once."""
    study_id = store.create(SMALL)
    runners = [Runner(store, study_id, f"worker {number}", make_train()) for number in range(3)]
    threads = [threading.Thread(target=runner.run) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = store.record(study_id)
    finals = [(one.source, one.seed) for one in record.arm(0, "test") if one.state == "complete"]
    assert 15 == len(finals) == len(set(finals))
    assert "finished" == record.state


@pytest.mark.slow
def test_an_extended_study_repeats_its_end_from_new_seeds(store: StudyStore) -> None:
    """More budget adds trials and keeps the old ones; the trainings at the end have seeds that no other has."""
    record = run(store)
    store.extend(record.id, 2.0)
    Runner(store, record.id, "worker", make_train()).run()
    extended = store.record(record.id)
    assert facts(extended)[: len(record.arm(0, "search"))] == facts(record)[: len(record.arm(0, "search"))]
    assert len(extended.arm(0, "search")) > len(record.arm(0, "search"))
    assert not {one.seed for one in extended.arm(0, "test")} & {one.seed for one in record.arm(0, "test")}
    assert 2 == outcome(extended, 0).looks


def test_missing_images_stop_a_study_and_lose_nothing(store: StudyStore) -> None:
    """Where a training raises an error for the reader, the study fails with it, and the trial waits."""
    from explorer.data.arrays import DataError

    def fail(plan: Plan) -> None:
        raise DataError("The imported images are missing or damaged. Import them again.")

    record = run(store, SMALL, fail)
    assert "failed" == record.state
    assert "Import them again" in record.message
    assert ["waiting"] == [one.state for one in record.trials]


def test_trials_that_fail_one_after_another_stop_a_study(store: StudyStore) -> None:
    """A trial that fails unexpectedly is recorded with its error; three in a row end the study."""

    def fail(plan: Plan) -> None:
        raise RuntimeError("unexpected")

    record = run(store, SMALL, fail)
    assert "failed" == record.state
    assert 3 == len(record.trials)
    assert all("unexpected" in one.error for one in record.trials)


@pytest.mark.slow
def test_a_trial_record_has_its_costs(store: StudyStore) -> None:
    """The costs of a trial are those of its table."""
    record = run(store, SMALL.replace(budget=SearchBudget(amount=1.0)))
    trial: TrialRecord = record.trials[0]
    assert trial.config is not None
    assert cost_of(trial.config, "macs") == trial.costs["macs"]
