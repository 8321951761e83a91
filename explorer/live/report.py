"""What travels between the server and its checking process, as JSON. Free of torch: the server imports it too."""

from typing import Literal, NamedTuple

from explorer.config import Frozen, GoogLeNetConfig

MAX_DISAGREEMENTS = 20

Value = int | str | tuple[int, ...] | None


class Disagreement(NamedTuple):
    """One number that the closed form and the live network do not share.

    ``path`` is the layer's, ``field`` one of ``LiveRow``'s fields. With the field ``row`` one side lacks the whole
    layer: its value is None. Three paths are no layers: ``torchinfo`` (field ``parameters``), ``FlopCounterMode``
    (``flops`` = 2 × MACs) and ``logits`` (``out_shape``).
    """

    path: str
    field: str
    closed_form: Value
    live: Value


class CheckReport(Frozen):
    """What one check found. Times are milliseconds of wall clock on ``device``, for one image.

    ``rows`` counts the layers compared; 0 means that no check took place, and ``note`` says why. ``disagreements``
    holds the first of ``differing``. ``ran`` is False when only shapes were checked (on the meta device), and then
    there are no times. ``torchinfo_parameters`` includes the auxiliary heads. ``note`` is a sentence for the reader,
    or empty.
    """

    rows: int = 0
    differing: int = 0
    disagreements: tuple[Disagreement, ...] = ()
    torchinfo_parameters: int | None = None
    ran: bool = False
    build_ms: float | None = None
    forward_ms: float | None = None
    output_shape: tuple[int, ...] = ()
    device: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Closed form = live network = torchinfo, in every row."""
        return self.rows > 0 and self.differing == 0

    @property
    def failed(self) -> bool:
        """No check took place: nothing is known, neither agreement nor disagreement."""
        return self.rows == 0


class Request(Frozen):
    """A question to the checking process. Equal requests have equal answers: this is the key of the cache."""

    kind: Literal["check", "torchinfo"]
    config: GoogLeNetConfig
    device: str


class Answer(Frozen):
    """The process's answer: a report, torchinfo's text, or, with neither, the ``error`` in a sentence.

    ``retire``: the process has grown too large; it should be ended, and the next request start a new one.
    """

    result: CheckReport | str | None = None
    error: str = ""
    retire: bool = False
