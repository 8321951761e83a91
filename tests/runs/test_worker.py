"""The real worker: what it leaves, how it resumes, and which resources it may use."""

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
from explorer.live.training import train
from explorer.live.weights import load_weights
from explorer.runs.manager import MIN_MEMORY_BYTES, WORKER_COMMAND
from explorer.runs.records import Refusal
from explorer.runs.worker import NICE, error_message
from explorer.training.checkpoints import weights_filename
from explorer.training.events import Stepped
from explorer.training.plan import Budget, DatasetChoice, NamedNetwork, Plan, Settings, adapt_to_dataset
from tests.live.tiny_training import NEWER
from tests.processes import environment_with_priorities, is_alive, wait_for
from tests.runs.environment import FASHION, RunEnvironment, assert_no_stray_files, workers
from tests.runs.fast_worker import COMMAND, SHORTER

pytestmark = pytest.mark.slow

TINY = GoogLeNetConfig(
    input_shape=(1, 28, 28),
    stem=Stem(kind="small", conv1=4, conv2_reduce=4, conv2=4),
    modules=(InceptionModule(name="3a", ch1x1=2, ch3x3_reduce=2, ch3x3=2, ch5x5_reduce=2, ch5x5=2, pool_proj=2),),
    normalisation="batch_norm",
    conv_bias=False,
    aux=AuxiliaryHeads(taps=()),
    classes=10,
)
STEPS = 100


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[RunEnvironment]:
    """An environment whose workers have ended when the test ends."""
    with RunEnvironment(tmp_path) as environment:
        yield environment


def training_plan(steps: int, *configs: GoogLeNetConfig, **settings: object) -> Plan:
    """Return a plan for real training on the CPU, of tiny networks unless others are given."""
    networks = tuple(NamedNetwork(name=f"net{n}", config=config) for n, config in enumerate(configs or (TINY,)))
    all_settings = Settings(**{"batch_size": 8, "device": "cpu"} | settings)
    return Plan(networks=networks, settings=all_settings, budget=Budget(kind="steps", amount=steps))


def submit(environment: RunEnvironment, plan: Plan) -> str:
    """Put a run in the queue, as the session "ann"."""
    manager = environment.managers[0] if environment.managers else environment.manager(command=COMMAND)
    run_id = manager.submit(plan, FASHION, "ann")
    assert not isinstance(run_id, Refusal), run_id
    return run_id


def test_a_stopped_run_ends_with_the_same_weights(
    environment: RunEnvironment, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, paused and resumed, with all settings: weights and curves are exactly those of uninterrupted training."""
    for name, value in SHORTER.items():
        monkeypatch.setattr(name, value)
    requested = training_plan(STEPS, TINY, TINY.replace(normalisation="none", conv_bias=True), **NEWER)
    stopped = submit(environment, requested)
    manager, random = environment.managers[0], Random(3)
    for stop in ("kill", "pause"):
        step = environment.store.run(stopped).checkpoint_step + 10
        environment.wait_for_step(stopped, step)
        sleep(random.uniform(0, 0.2))
        if stop == "kill":
            workers(environment.folder)[0].kill()
        else:
            manager.pause(stopped, "ann")
        run = environment.wait_for_state(stopped, "interrupted" if stop == "kill" else "paused")
        assert run.step < STEPS
        manager.resume(stopped, "ann")
    environment.wait_for_state(stopped, "finished")
    folder = tmp_path_factory.mktemp("whole")
    whole = train(requested, folder)
    steps = [event for event in whole if isinstance(event, Stepped)]
    whole.save(folder)
    for trainer in (0, 1):
        expected = load_weights(folder / weights_filename(trainer))
        resumed = load_weights(environment.store.weights_path(stopped, trainer))
        assert expected.config == resumed.config == requested.networks[trainer].config
        assert all(torch.equal(tensor, resumed.state[name]) for name, tensor in expected.state.items())
        own_steps = [event for event in steps if event.trainer == trainer]
        for kind, values in {
            "train_loss": {event.step: event.loss for event in own_steps},
            "train_accuracy": {event.step: event.accuracy for event in own_steps},
            "gradient/3a": {event.step: event.gradients["3a"] for event in own_steps if event.gradients},
        }.items():
            assert values == {point.step: point.value for point in environment.store.curve(stopped, kind, trainer)}
    assert_no_stray_files(environment.store)


def test_a_mini_run_stays_under_a_gigabyte(environment: RunEnvironment) -> None:
    """The limit on its process lets it grow to 1 GB of memory at most, and it needs less."""
    network = adapt_to_dataset(PRESETS["mini"], FASHION.shape, len(FASHION.classes)).config
    run_id = submit(environment, training_plan(10_000, network, batch_size=64))
    environment.wait_for_step(run_id, 2)
    (process,) = workers(environment.folder)
    status = dict(line.split(":\t") for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    peak, resident, data = (int(status[name].split()[0]) * 1024 for name in ("VmHWM", "VmRSS", "VmData"))
    assert peak < MIN_MEMORY_BYTES
    limit, _ = process.rlimit(psutil.RLIMIT_DATA)
    assert data < limit < MIN_MEMORY_BYTES + data - resident + 100_000_000
    environment.managers[0].cancel(run_id, "ann")
    environment.wait_for_state(run_id, "cancelled")


def test_exceeding_the_memory_limit_is_reported() -> None:
    """PyTorch does not get the memory, and the message says so."""
    code = """
        import torch
        from explorer.runs.worker import error_message, limit_memory
        limit_memory(500_000_000)
        try:
            torch.zeros(1_000_000_000)
        except RuntimeError as error:
            print(error_message(error, 500_000_000))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Memory ran out: a run like this may use 500 MB.")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "Memory ran out"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
            "Memory ran out",
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "Memory ran out"),
        (OSError(28, "No space left on device"), "The disk is full."),
        (DataError("These images are of one class only."), "These images are of one class only."),
        (KeyError("x"), "Training failed with an unexpected error; the server's log has the details."),
    ],
)
def test_errors_become_sentences(error: Exception, message: str) -> None:
    """Exception names and the messages of libraries are for the log only."""
    assert error_message(error, 10**9).startswith(message)


def test_unexpected_errors_are_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    """With name and traceback."""
    error_message(KeyError("x"), 10**9)
    assert "KeyError: 'x'" in capfd.readouterr().err


def test_a_loss_that_is_not_finite_fails_the_run(environment: RunEnvironment) -> None:
    """The message has the step; the last finite weights stay, to be used and to resume from."""
    plain = TINY.replace(normalisation="none", conv_bias=True)
    run = environment.wait_for_state(
        submit(environment, training_plan(1_000, plain, learning_rate=10.0, schedule="constant")), "failed"
    )
    assert "loss was not finite" in run.message
    assert f"{run.step:,}" in run.outcome
    assert run.step > run.checkpoint_step
    if path := environment.store.weights_path(run.id):
        assert all(tensor.isfinite().all() for tensor in load_weights(path).state.values())
    assert all(isfinite(metric.value) for metric in environment.store.metrics(run.id))


def test_missing_images_fail_the_run(environment: RunEnvironment) -> None:
    """An imported dataset that has been deleted."""
    requested = training_plan(5).replace(data=DatasetChoice(name="own", upload="0" * 16))
    run = environment.wait_for_state(submit(environment, requested), "failed")
    assert "images" in run.message.lower()


def test_the_real_worker_ends_with_its_server_which_never_loads_torch(tmp_path: Path) -> None:
    """The worker has a low priority. When the server is killed the worker ends, and the run can resume."""
    code = f"""
        import sys, time
        from pathlib import Path
        from explorer.runs.manager import Manager
        from explorer.runs.store import Store
        from tests.runs.environment import FASHION
        from explorer.training.plan import Plan
        store = Store(Path({str(tmp_path)!r}))
        manager = Manager(store)
        run_id = manager.submit(Plan.model_validate_json({training_plan(100_000).model_dump_json()!r}), FASHION)
        while not store.run(run_id).step:
            time.sleep(0.01)
        print("torch" in sys.modules, flush=True)
        time.sleep(1000)
    """
    command, environment = [sys.executable, "-c", textwrap.dedent(code)], environment_with_priorities()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout.readline() == b"False\n"
        (worker,) = psutil.Process(server.pid).children()
        assert worker.nice() == min(19, os.nice(0) + NICE)
        server.kill()
    wait_for(lambda: not is_alive(worker.pid))
    with RunEnvironment(tmp_path) as environment:
        manager = environment.manager(command=WORKER_COMMAND)
        (run,) = environment.store.runs()
        assert "The server ended" in environment.wait_for_state(run.id, "interrupted").outcome
        assert manager.resume(run.id) is None
        environment.wait_for_step(run.id, run.checkpoint_step + 1)
