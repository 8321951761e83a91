"""A benchmark file as a study that has ended, so that everything which shows a study shows the file."""

from explorer.search.benchmark_file import Benchmark
from explorer.search.records import Arm, StudyRecord, TrialRecord
from explorer.training.plan import TRAINING_PASSES


def recorded_study(benchmark: Benchmark) -> StudyRecord:
    """Return the file as a study: trials with the mean accuracy over their seeds, without the network's own table."""
    spec = benchmark.spec
    trials = []
    for table in benchmark.tables:
        first = next(iter(table.trainings.values()))
        if table.number:
            trials.append(
                TrialRecord(
                    arm=Arm(0, "search"),
                    number=table.number,
                    state="complete",
                    config=table.config,
                    point=table.point,
                    seed=first.seed,
                    accuracy=table.accuracy,
                    reports=first.reports,
                    macs=TRAINING_PASSES * spec.settings.batch_size * spec.steps,
                    seconds=sum(one.seconds for one in table.trainings.values()),
                    seconds_in_all=0.0,
                    synflow=first.synflow,
                    gradient_norm=first.gradient_norm,
                )
            )
    return StudyRecord("", spec, "finished", "", 0.0, 0, 0, tuple(trials))
