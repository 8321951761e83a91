"""Events survive JSON, so that a run in another process can be followed."""

import pytest

from explorer.training.events import EVENT, AnyEvent, Diverged, Evaluated, Finished, Misclassification, Started, Stepped

AT = {"lane": 1, "step": 20, "seconds": 1.5, "images": 1_280, "share": 0.25}
ALL = (
    Started(**AT, device="CPU", learning_rate=0.1, parameters=458_294, notes=("A sentence.",)),
    Stepped(**AT, loss=2.3, aux_losses={"4a": 2.4}, accuracy=0.1, learning_rate=0.1, gradients={"stem": 0.5}),
    Evaluated(
        **AT,
        loss=2.0,
        accuracy=0.5,
        confusion=((1, 0), (1, 0)),
        mistakes=(Misclassification(7, 1, 0, 0.75),),
        final=True,
    ),
    Diverged(**AT, message="The loss is no number any more."),
    Finished(**AT, accuracy=0.5),
)


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.kind)
def test_an_event_survives_json(event: AnyEvent) -> None:
    """It comes back as the same kind with the same values."""
    assert event == EVENT.validate_json(event.model_dump_json())


def test_what_is_no_event_is_refused() -> None:
    """An unknown kind, and a known one with a part missing."""
    for text in ('{"kind": "other"}', '{"kind": "finished", "lane": 0}', "x"):
        with pytest.raises(ValueError, match="validation error"):
            EVENT.validate_json(text)
