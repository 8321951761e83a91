"""Events survive JSON, so that a run in another process can be followed."""

import json

import pytest

from explorer.training.events import (
    EVENT,
    AnyEvent,
    Diverged,
    Evaluated,
    Finished,
    ImageResults,
    Misclassification,
    Started,
    Stepped,
    TrainingSample,
)

AT = {"trainer": 1, "step": 20, "seconds": 1.5, "images": 1_280, "progress": 0.25}
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
        results=ImageResults.pack("0123456789abcdef", (True, False)),
        training_sample=TrainingSample(2, 1),
    ),
    Diverged(**AT, message="The loss is not finite."),
    Finished(**AT, accuracy=0.5),
)


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.kind)
def test_an_event_survives_json(event: AnyEvent) -> None:
    """It comes back as the same kind with the same values."""
    assert event == EVENT.validate_json(event.model_dump_json())


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.kind)
def test_an_event_has_its_stored_names(event: AnyEvent) -> None:
    """A run store of an older version has ``lane`` and ``share``; today's names are read as well."""
    document = json.loads(event.model_dump_json())
    assert (document["lane"], document["share"]) == (1, 0.25)
    assert not {"trainer", "progress"} & document.keys()
    document |= {"trainer": document.pop("lane"), "progress": document.pop("share")}
    assert event == EVENT.validate_json(json.dumps(document))


def test_what_is_not_an_event_is_refused() -> None:
    """An unknown kind, and a known one without a required field."""
    for text in ('{"kind": "other"}', '{"kind": "finished", "lane": 0}', "x"):
        with pytest.raises(ValueError, match="validation error"):
            EVENT.validate_json(text)


@pytest.mark.parametrize("images", [0, 1, 8, 13, 2_001])
def test_results_of_images_are_one_bit_each(images: int) -> None:
    """All come back in their order; ten thousand take less than two kilobytes."""
    correct = tuple(number % 3 == 1 for number in range(images))
    packed = ImageResults.pack("hash", correct)
    assert correct == packed.correct
    assert len(packed.bits) <= images / 6 + 4


def test_an_older_evaluation_has_no_results_of_images() -> None:
    """Stores of older versions open; they do not say which images were classified correctly."""
    document = json.loads(ALL[2].model_dump_json())
    del document["results"], document["training_sample"]
    event = EVENT.validate_json(json.dumps(document))
    assert isinstance(event, Evaluated)
    assert (event.results, event.training_sample) == (None, None)
