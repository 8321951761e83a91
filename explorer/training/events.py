"""What a training run tells while it goes on, as JSON. Free of torch: the run store and the pages read it too.

Every event names its lane by its place in ``plan.lanes`` and says how far that lane is: its step, its seconds of
training (evaluation is not counted), the images it has seen, and the share of its budget that it has used.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from explorer.config import Frozen


class Misclassification(NamedTuple):
    """A test image that was taken for another class: its index, its true class, what was said, and how surely."""

    index: int
    truth: int
    said: int
    probability: float


class Event(Frozen):
    """Where a lane is. ``share`` is the part of its budget that is used, 0 to 1."""

    lane: int
    step: int
    seconds: float
    images: int
    share: float


class Started(Event):
    """A lane begins, or goes on from a checkpoint. ``notes`` are sentences for the reader."""

    kind: Literal["started"] = "started"
    device: str
    learning_rate: float
    parameters: int
    notes: tuple[str, ...] = ()


class Stepped(Event):
    """A step was taken. Losses are means over the batch in nats, those of the heads unweighted, by tapped module.

    ``loss`` is the main classifier's. ``accuracy`` is the share of the batch that it told right. ``gradients`` has
    the L2 norm of the gradient over the parameters of each block (``stem``, ``3a``, …, ``classifier``), every few
    steps; between them it is empty.
    """

    kind: Literal["step"] = "step"
    loss: float
    aux_losses: dict[str, float]
    accuracy: float
    learning_rate: float
    gradients: dict[str, float]


class Evaluated(Event):
    """Test images were judged. ``confusion[truth][said]`` counts them; ``mistakes`` has the surest first.

    ``final``: it is the last one, at the end of the budget, and of all test images; those on the way are of a sample.
    The matrix and the mistakes come with each.
    """

    kind: Literal["evaluated"] = "evaluated"
    loss: float
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Misclassification, ...] = ()
    final: bool = False


class Diverged(Event):
    """The loss, of a batch or of the test images, is no longer a number: the lane ends here, others go on."""

    kind: Literal["diverged"] = "diverged"
    message: str


class Finished(Event):
    """A lane has used its budget. The last event of a run is that of its last lane."""

    kind: Literal["finished"] = "finished"
    accuracy: float


AnyEvent = Started | Stepped | Evaluated | Diverged | Finished
EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="kind")])
