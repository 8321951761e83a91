"""Plans are checked before anything is loaded: every problem names its part and says what to do."""

from typing import Any

import pytest

from explorer import PRESETS
from explorer.training.plan import DATASETS, Budget, DatasetChoice, NamedNetwork, Plan, Settings, adapt_to_dataset
from explorer.training.validation import plan_problems

CLOTHES = DATASETS["fashion_mnist"]
MINI = NamedNetwork(name="mini", config=PRESETS["mini"])
PLAN = Plan(networks=(MINI,))


def broken(**changed: Any) -> list[tuple[str, str]]:
    """Return where the problems of a changed plan are."""
    return [(problem.where, problem.field) for problem in plan_problems(PLAN.replace(**changed), CLOTHES)]


def test_the_default_plan_is_good() -> None:
    """Also with every preset, adapted to the images."""
    assert [] == broken()
    for name in PRESETS:
        config = adapt_to_dataset(PRESETS[name], CLOTHES.shape, 10).config
        assert [] == broken(networks=(NamedNetwork(name=name, config=config),))


NAN = float("nan")


@pytest.mark.parametrize(
    ("changed", "where", "field"),
    [
        ({"networks": ()}, "plan", "networks"),
        ({"networks": tuple(MINI.replace(name=f"n{i}") for i in range(5))}, "plan", "networks"),
        ({"networks": (MINI, MINI)}, "plan", "networks"),
        ({"seeds": ()}, "plan", "seeds"),
        ({"seeds": tuple(range(6))}, "plan", "seeds"),
        ({"seeds": (1, 1)}, "plan", "seeds"),
        ({"seeds": (-1,)}, "plan", "seeds"),
        ({"seeds": (2**31,)}, "plan", "seeds"),
        ({"data": DatasetChoice(name="own")}, "data", "upload"),
        ({"data": DatasetChoice(seed=-1)}, "data", "seed"),
        ({"settings": Settings(batch_size=1)}, "settings", "batch_size"),
        ({"settings": Settings(batch_size=1_025)}, "settings", "batch_size"),
        ({"settings": Settings(learning_rate=0.0)}, "settings", "learning_rate"),
        ({"settings": Settings(learning_rate=NAN)}, "settings", "learning_rate"),
        ({"settings": Settings(learning_rate=11.0)}, "settings", "learning_rate"),
        ({"settings": Settings(momentum=1.0)}, "settings", "momentum"),
        ({"settings": Settings(weight_decay=-1e-9)}, "settings", "weight_decay"),
        ({"settings": Settings(weight_decay=NAN)}, "settings", "weight_decay"),
        ({"settings": Settings(device="tpu")}, "settings", "device"),
        ({"budget": Budget(amount=0.0)}, "budget", "amount"),
        ({"budget": Budget(amount=NAN)}, "budget", "amount"),
        ({"budget": Budget(amount=3_601.0)}, "budget", "amount"),
        ({"budget": Budget(kind="steps", amount=1e7)}, "budget", "amount"),
        ({"networks": (MINI.replace(config=PRESETS["mini"].replace(classes=8)),)}, "mini", "classes"),
        ({"networks": (MINI.replace(config=PRESETS["mini"].replace(input_shape=(3, 28, 28))),)}, "mini", "input_shape"),
        ({"networks": (MINI.replace(config=PRESETS["mini"].replace(modules=())),)}, "mini", "modules"),
    ],
)
def test_a_bad_part_is_named(changed: dict[str, Any], where: str, field: str) -> None:
    """One bad part is one problem, at its place, in a sentence."""
    (problem,) = plan_problems(PLAN.replace(**changed), CLOTHES)
    assert (where, field) == problem[:2]
    assert problem.message.endswith(".")


def test_settings_at_their_limits_are_good() -> None:
    """Each range includes its ends."""
    edge = Settings(batch_size=2, learning_rate=10.0, momentum=0.999, weight_decay=1.0)
    assert [] == broken(settings=edge, budget=Budget(amount=3_600.0), seeds=(0, 2**31 - 1))


def test_all_problems_are_returned_together() -> None:
    """Those of the settings, the budget and the networks."""
    found = broken(settings=Settings(batch_size=0, momentum=2.0), budget=Budget(amount=-1.0), seeds=(-1,))
    assert [("settings", "batch_size"), ("settings", "momentum"), ("budget", "amount"), ("plan", "seeds")] == found


def test_too_few_images_or_classes_are_refused() -> None:
    """One class leaves nothing to learn, and without test images nothing can be measured."""
    for changed, field in (({"classes": ("a",)}, "classes"), ({"train": 1}, "train"), ({"test": 0}, "train")):
        found = plan_problems(PLAN, CLOTHES.replace(**changed))
        assert field in [problem.field for problem in found]


def test_a_plan_that_does_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has both numbers; the limit can be set."""
    paper = NamedNetwork(name="paper", config=adapt_to_dataset(PRESETS["paper"], CLOTHES.shape, 10).config)
    assert [] == broken(networks=(paper,))
    monkeypatch.setenv("EXPLORER_TRAIN_MB", "600")
    (problem,) = plan_problems(PLAN.replace(networks=(paper,)), CLOTHES)
    assert ("plan", "memory") == problem[:2]
    assert "limit here is 600 MB" in problem.message
    assert () == plan_problems(PLAN.replace(networks=(paper,)), CLOTHES, memory_limit_bytes=10**10)
