"""What stands in a file of weights about how they were trained, so that they can be used rightly. Free of torch."""

from pathlib import Path

from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open

from explorer.config import Frozen
from explorer.training.plan import DatasetInfo

KEY = "training"


class WeightsMetadata(Frozen):
    """How weights came about. A network takes pixels as (value / 255 − ``mean``) / ``std``, per channel.

    ``steps`` of training took ``seconds``. ``accuracy`` is the share of ``facts.test`` test images told right; None
    where training had not ended.
    """

    name: str
    facts: DatasetInfo
    mean: tuple[float, ...]
    std: tuple[float, ...]
    seed: int
    steps: int
    seconds: float
    accuracy: float | None = Field(None, ge=0, le=1)


def read_metadata(path: Path | str) -> WeightsMetadata | None:
    """Return what a safetensors file says of its training; None where it says nothing that can be read."""
    try:
        with safe_open(path, framework="numpy") as file:
            return WeightsMetadata.model_validate_json((file.metadata() or {}).get(KEY, ""))
    except (OSError, SafetensorError, ValidationError):
        return None
