"""What crosses the pipes between the job queue and its worker process: one line of JSON per value. Free of torch.

A new kind of request is a request model (with ``kind`` and ``function``), a result model, an entry in both unions here,
and its function.
"""

from typing import Annotated

from pydantic import Field, TypeAdapter

from explorer.config import Frozen
from explorer.jobs import engines, inspection, replays, requests, units
from explorer.jobs.job import Progress

Request = (
    requests.CheckRequest
    | requests.TorchinfoRequest
    | requests.ReductionTimingRequest
    | requests.GradientRequest
    | requests.VariantTimingRequest
    | requests.LayerTimingRequest
    | engines.EngineTimingRequest
    | inspection.PredictionRequest
    | inspection.ActivityRequest
    | inspection.MapsRequest
    | inspection.MapRequest
    | inspection.FiltersRequest
    | inspection.AblationRequest
    | inspection.AttributionRequest
    | inspection.MaximizationRequest
    | units.UnitRequest
    | units.StrongestMapsRequest
    | units.ModuleMapsRequest
    | inspection.EvaluationRequest
    | units.EffectiveFieldsRequest
    | inspection.ImportRequest
    | inspection.DownloadRequest
    | replays.ReplayRequest
)
Result = (
    requests.CheckReport
    | str
    | requests.ReductionTiming
    | requests.GradientReport
    | requests.VariantTiming
    | requests.LayerTiming
    | engines.EngineTimings
    | inspection.Predictions
    | inspection.Activity
    | inspection.Maps
    | inspection.FeatureMap
    | inspection.Filters
    | inspection.Ablation
    | inspection.Attribution
    | inspection.Maximization
    | units.UnitReport
    | units.StrongestMaps
    | units.ModuleMaps
    | inspection.Evaluation
    | units.EffectiveFields
    | inspection.ImportedWeights
    | replays.Replays
)


class Answer(Frozen):
    """The worker's last line for a request: a result, or the ``error`` in a sentence for the reader.

    ``retire``: the worker has grown too large; the queue ends it and starts a new one for the next request.
    """

    result: Result | None = None
    error: str = ""
    retire: bool = False


REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
LINE: TypeAdapter[Progress | Answer] = TypeAdapter(Progress | Answer)
