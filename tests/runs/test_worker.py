"""The real worker: what it leaves, goes on from, and may use of the machine."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from random import Random
from time import sleep

import psutil
import pytest
import torch

from explorer import PRESETS, GoogLeNetConfig, InceptionModule
from explorer.config import AuxiliaryHeads, Stem
from explorer.data.arrays import DataError
from explorer.live.weights import load_weights
from explorer.runs.manager import LEAST_MEMORY, WORKER
from explorer.runs.records import RefusedError
from explorer.runs.worker import NICE, error_message
from explorer.training.plan import Budget, DatasetChoice, NamedNetwork, Plan, Settings, adapt_to_dataset
from tests.runs.stage import FASHION, Stage, assert_no_stray, workers
from tests.runs.trainer import COMMAND
from tests.stage import alive, eventually

TINY = GoogLeNetConfig(
    input_shape=(1, 28, 28),
    stem=Stem(kind="small", conv1=4, conv2_reduce=4, conv2=4),
    modules=(InceptionModule(name="3a", ch1x1=2, ch3x3_reduce=2, ch3x3=2, ch5x5_reduce=2, ch5x5=2, pool_proj=2),),
    normalisation="batch_norm",
    conv_bias=False,
    aux=AuxiliaryHeads(taps=()),
    classes=10,
)
STEPS = 150


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose workers are gone at the end, whatever the test does."""
    with Stage(tmp_path) as stage:
        yield stage


def training_plan(steps: int, *configs: GoogLeNetConfig, **settings: object) -> Plan:
    """Return a plan for real training on the CPU, of tiny networks unless others are given."""
    entrants = tuple(NamedNetwork(name=f"net{n}", config=config) for n, config in enumerate(configs or (TINY,)))
    chosen = Settings(**{"batch_size": 8, "device": "cpu"} | settings)
    return Plan(entrants=entrants, settings=chosen, budget=Budget(kind="steps", amount=steps))


def submitted(stage: Stage, plan: Plan) -> str:
    """Put a run in the queue, as the session "ann"."""
    manager = stage.managers[0] if stage.managers else stage.manager(command=COMMAND)
    run_id = manager.submit(plan, FASHION, "ann")
    assert not isinstance(run_id, RefusedError), run_id
    return run_id


def test_a_run_that_was_stopped_ends_with_the_same_weights(stage: Stage) -> None:
    """Killed, paused and resumed: number by number those of a run that was left alone, and so its curves."""
    asked = training_plan(STEPS, TINY, TINY.replace(normalisation="none", conv_bias=True))
    alone, stopped = submitted(stage, asked), submitted(stage, asked)
    manager, random = stage.managers[0], Random(3)
    stage.when(alone, "finished")
    for stop in ("kill", "pause"):
        at = stage.store.run(stopped).checkpoint_step + 10
        stage.when_at(stopped, at)
        sleep(random.uniform(0, 0.2))
        if stop == "kill":
            workers(stage.folder)[0].kill()
        else:
            manager.pause(stopped, "ann")
        run = stage.when(stopped, "interrupted" if stop == "kill" else "paused")
        assert run.step < STEPS
        manager.resume(stopped, "ann")
    stage.when(stopped, "finished")
    for lane in (0, 1):
        expected, found = (load_weights(stage.store.weights_path(run_id, lane)) for run_id in (alone, stopped))
        assert expected.config == found.config == asked.entrants[lane].config
        assert all(torch.equal(tensor, found.state[name]) for name, tensor in expected.state.items())
        for kind in ("train_loss", "train_accuracy", "gradient/3a"):
            curves = [stage.store.curve(run_id, kind, lane) for run_id in (alone, stopped)]
            assert [(p.step, p.value) for p in curves[0]] == [(p.step, p.value) for p in curves[1]]
    assert_no_stray(stage.store)


def test_a_mini_run_stays_under_a_gigabyte(stage: Stage) -> None:
    """Its process has a limit on its data that lets it grow to 1 GB of memory at most, and has not needed that."""
    network = adapt_to_dataset(PRESETS["mini"], FASHION.shape, len(FASHION.classes)).config
    run_id = submitted(stage, training_plan(10_000, network, batch_size=64))
    stage.when_at(run_id, 2)
    (process,) = workers(stage.folder)
    status = dict(line.split(":\t") for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    peak, resident, data = (int(status[name].split()[0]) * 1024 for name in ("VmHWM", "VmRSS", "VmData"))
    assert peak < LEAST_MEMORY
    limit, _ = process.rlimit(psutil.RLIMIT_DATA)
    assert data < limit < LEAST_MEMORY + data - resident + 100_000_000
    stage.managers[0].cancel(run_id, "ann")
    stage.when(run_id, "cancelled")


def test_what_exceeds_the_limit_fails_in_a_sentence() -> None:
    """PyTorch is refused the memory, and that is told as what it is."""
    code = """
        import torch
        from explorer.runs.worker import cap_memory, said
        cap_memory(500_000_000)
        try:
            torch.zeros(1_000_000_000)
        except RuntimeError as error:
            print(said(error, 500_000_000))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Memory ran out: a run like this may use 500 MB.")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "Memory ran out"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
            "Memory ran out",
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "Memory ran out"),
        (OSError(28, "No space left on device"), "The disk is full."),
        (DataError("These images are of one class only."), "These images are of one class only."),
        (KeyError("x"), "Training failed in a way that was not foreseen; the server's log has the details."),
    ],
)
def test_errors_become_sentences(error: Exception, told: str) -> None:
    """Names of exceptions, and what libraries say of themselves, are for the log."""
    assert error_message(error, 10**9).startswith(told)


def test_what_was_not_foreseen_is_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    """With its name, and where it came from."""
    error_message(KeyError("x"), 10**9)
    assert "KeyError: 'x'" in capfd.readouterr().err


def test_a_loss_that_is_no_number_ends_the_run_with_the_step(stage: Stage) -> None:
    """The last good weights stay, for use and to go on from."""
    plain = TINY.replace(normalisation="none", conv_bias=True)
    run = stage.when(submitted(stage, training_plan(1_000, plain, learning_rate=10.0, schedule="constant")), "failed")
    assert "no longer a number" in run.message
    assert f"{run.step:,}" in run.account
    assert run.step > run.checkpoint_step
    if path := stage.store.weights_path(run.id):
        assert all(tensor.isfinite().all() for tensor in load_weights(path).state.values())
    assert all(isfinite(metric.value) for metric in stage.store.metrics(run.id))


def test_images_that_are_not_there_are_named(stage: Stage) -> None:
    """An imported set that was deleted since."""
    asked = training_plan(5).replace(data=DatasetChoice(name="own", upload="0" * 16))
    run = stage.when(submitted(stage, asked), "failed")
    assert "images" in run.message.lower()


def test_a_server_takes_its_real_worker_along_and_never_loads_torch(tmp_path: Path) -> None:
    """The worker has a low priority. The server is killed; the worker goes, and the run can go on."""
    code = f"""
        import sys, time
        from pathlib import Path
        from explorer.runs.manager import Manager
        from explorer.runs.store import Store
        from tests.runs.stage import FASHION
        from explorer.training.plan import Plan
        store = Store(Path({str(tmp_path)!r}))
        manager = Manager(store)
        run_id = manager.submit(Plan.model_validate_json({training_plan(100_000).model_dump_json()!r}), FASHION)
        while not store.run(run_id).step:
            time.sleep(0.01)
        print("torch" in sys.modules, flush=True)
        time.sleep(1000)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as server:
        assert server.stdout.readline() == b"False\n"
        (worker,) = psutil.Process(server.pid).children()
        assert worker.nice() == min(19, os.nice(0) + NICE)
        server.kill()
    eventually(lambda: not alive(worker.pid))
    with Stage(tmp_path) as stage:
        manager = stage.manager(command=WORKER)
        (run,) = stage.store.runs()
        assert "The server ended" in stage.when(run.id, "interrupted").account
        assert manager.resume(run.id) is None
        stage.when_at(run.id, run.checkpoint_step + 1)
