"""The events of a training run, as JSON. Free of torch: the run store and the pages read them too.

Every event has the index of its trainer in ``plan.trainers``, and that trainer's step, its seconds of training
(without evaluation), the images it has seen, and the fraction of its budget that it has used.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, TypedDict

from pydantic import ConfigDict, Field, TypeAdapter

from explorer.config import Frozen


class Misclassification(NamedTuple):
    """A misclassified test image: index in the test set, label, predicted class, and the probability of the latter."""

    image: int
    label: int
    predicted: int
    probability: float


class Position(TypedDict):
    """The fields that all events share."""

    trainer: int
    step: int
    seconds: float
    images: int
    progress: float


class Event(Frozen):
    """A trainer's position. ``progress`` is the fraction of its budget that it has used, 0 to 1.

    Stored events call the first field ``lane`` and the last ``share``; both names are read, and these are written.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    trainer: int = Field(alias="lane")
    step: int
    seconds: float
    images: int
    progress: float = Field(alias="share")


class Started(Event):
    """A trainer starts, or resumes from a checkpoint. ``notes`` are sentences for the reader."""

    kind: Literal["started"] = "started"
    device: str
    learning_rate: float
    parameters: int
    notes: tuple[str, ...] = ()


class Stepped(Event):
    """A trainer took a step. Losses are means over the batch in nats; the heads' are unweighted, by tapped module.

    ``loss`` is the main classifier's. ``accuracy`` is the fraction of the batch classified correctly. ``gradients``
    has the L2 norm of the gradient over the parameters of each block (``stem``, ``3a``, …, ``classifier``), every few
    steps; between them it is empty.
    """

    kind: Literal["step"] = "step"
    loss: float
    aux_losses: dict[str, float]
    accuracy: float
    learning_rate: float
    gradients: dict[str, float]


class ImageResults(Frozen):
    """Which images of a test set were classified correctly: one bit per image, in order, as base64.

    ``test_set`` is a hash of the images and their labels, so that results on the same images are found.
    """

    test_set: str
    images: int
    bits: str

    @classmethod
    def pack(cls, test_set: str, correct: Sequence[bool]) -> "ImageResults":
        """Return the results as bits."""
        digits = "".join("1" if one else "0" for one in correct)
        packed = int(digits or "0", 2).to_bytes(-(-len(correct) // 8))
        return cls(test_set=test_set, images=len(correct), bits=b64encode(packed).decode())

    @property
    def correct(self) -> tuple[bool, ...]:
        """Whether each image was classified correctly."""
        digits = f"{int.from_bytes(b64decode(self.bits)):0{self.images}b}" if self.images else ""
        return tuple(digit == "1" for digit in digits)


class TrainingSample(NamedTuple):
    """A sample of training images, evaluated like test images: how many, and how many were classified correctly."""

    images: int
    correct: int


class Evaluated(Event):
    """Test images were evaluated. ``confusion[label][predicted]`` counts them.

    ``mistakes`` has the misclassifications with the highest probability, in descending order. ``final``: the last
    evaluation, at the end of the budget, on all test images; interim ones use a sample. Only a final one has
    ``results``, and, after at least one epoch, ``training_sample``: older stores have neither.
    """

    kind: Literal["evaluated"] = "evaluated"
    loss: float
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Misclassification, ...] = ()
    final: bool = False
    results: ImageResults | None = None
    training_sample: TrainingSample | None = None


class Diverged(Event):
    """The loss of a batch or of the test images is not finite: this trainer ends here, the others continue."""

    kind: Literal["diverged"] = "diverged"
    message: str


class Finished(Event):
    """A trainer has used its budget. The last event of a run is that of its last trainer."""

    kind: Literal["finished"] = "finished"
    accuracy: float


AnyEvent = Started | Stepped | Evaluated | Diverged | Finished
EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="kind")])
