"""What the page *Look inside* asks and gets, as JSON. Free of torch: the server imports it too.

Every request names a network with its weights, pictures by the path of their file in the scratch cache
(:mod:`explorer.data.content_store`), and how these are prepared. Equal requests have equal answers. Pictures come back as
PNG.
"""

from typing import Generic, Literal, NamedTuple

from pydantic import ConfigDict

from explorer.config import Frozen, GoogLeNetConfig, Problem
from explorer.data.preprocessing import Preprocessing
from explorer.data.weight_files import Misfit, Network
from explorer.jobs.requests import JobRequest, R

MAX_IMAGES = 64  # of one batch
MAX_TILES = 256  # maps of one strip
TILE = 32  # pixels: the longest side of a map in a strip

Method = Literal["grad_cam", "occlusion", "integrated_gradients"]
Size = tuple[int, int]  # height × width in pixels


class WithImages(Frozen):
    """A value with bytes in it, which travel as base64."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class Scale(NamedTuple):
    """A branch whose output is multiplied by ``factor`` before the concatenation; 0 takes the branch away."""

    module: str
    branch: str
    factor: float


class InspectionRequest(JobRequest[R], Generic[R]):
    """What all questions about pictures share. ``scales`` changes the network for this question alone."""

    network: Network
    images: tuple[str, ...]
    preprocessing: Preprocessing = Preprocessing()
    scales: tuple[Scale, ...] = ()
    device: str = "auto"


class ClassScores(NamedTuple):
    """What one classifier says of one picture: class numbers and probabilities, the likeliest first.

    ``entropy`` is in bits: 0 when it is sure, log2(classes) when it knows nothing.
    """

    classes: tuple[int, ...]
    probabilities: tuple[float, ...]
    entropy: float


class Prediction(Frozen):
    """What the network says of one picture, and what each auxiliary head does, by the module it taps."""

    main: ClassScores
    aux: dict[str, ClassScores]


class Predictions(Frozen):
    """One prediction per picture. ``forward_ms`` is the time of the pass for all of them, the heads included."""

    predictions: tuple[Prediction, ...]
    forward_ms: float
    device: str
    note: str = ""


class PredictionRequest(InspectionRequest[Predictions]):
    """The question what the network and its auxiliary heads say, and with which probability; the ``top`` classes."""

    function = "explorer.live.inference:predict"
    kind: Literal["prediction"] = "prediction"
    top: int = 5


class BranchActivity(NamedTuple):
    """How much a branch does.

    ``mean`` of its outputs, ``sparsity`` (the share of zeros), and how many of its channels, ``first`` to ``last`` of
    the concatenation, are ``dead``: zero everywhere, in all pictures.
    """

    module: str
    branch: str
    first: int
    last: int
    mean: float
    sparsity: float
    dead: int


class Activity(Frozen):
    """A line per module and branch, in order."""

    branches: tuple[BranchActivity, ...]
    image_count: int


class ActivityRequest(InspectionRequest[Activity]):
    """The question how much the branches of all modules do for these pictures."""

    function = "explorer.live.feature_maps:activity"
    kind: Literal["activity"] = "activity"


class Strip(WithImages):
    """The maps of one branch as tiles of one grey picture, the strongest response first, row by row.

    ``path`` is what gave them, ``branch`` its short name; its channels are ``first`` to ``last`` (inclusive) of the
    concatenation. ``channels`` counts within the branch and says which map each tile shows; ``responses`` is the mean
    of each over its positions. There are at most ``MAX_TILES``. Each tile is scaled by itself: black is 0 (or the
    least, where that is below), white its largest value. ``map_size`` is that of the maps themselves, ``tile`` that in
    the picture, ``columns`` the tiles in a row; ``mean``, ``sparsity`` and ``dead`` are as in :class:`BranchActivity`.
    """

    path: str
    branch: str
    first: int
    last: int
    channels: tuple[int, ...]
    responses: tuple[float, ...]
    map_size: Size
    tile: Size
    columns: int
    png: bytes
    mean: float
    sparsity: float
    dead: int


class Maps(Frozen):
    """The strips of a block, in the order of the concatenation."""

    block: str
    strips: tuple[Strip, ...]


class MapsRequest(InspectionRequest[Maps]):
    """The question what every channel of a block shows of the first picture.

    ``block`` is a module's name, whose branches become strips, or ``stem``, whose layers do.
    """

    function = "explorer.live.feature_maps:maps"
    kind: Literal["maps"] = "maps"
    block: str


class Heat(WithImages):
    """Numbers over a picture as a grey PNG of the size they have: 0 stands for ``low``, 255 for ``high``."""

    png: bytes
    size: Size
    low: float
    high: float


class FeatureMap(Frozen):
    """One feature map; ``response`` is its mean over all positions."""

    path: str
    channel: int
    heat: Heat
    response: float


class MapRequest(InspectionRequest[FeatureMap]):
    """The question what one channel of one layer or branch (``path``) shows of the first picture, in full."""

    function = "explorer.live.feature_maps:feature_map"
    kind: Literal["map"] = "map"
    path: str
    channel: int


class Filters(WithImages):
    """The first layer's kernels as tiles of one picture: in colour for 3 input channels, else grey (their mean).

    Each is scaled by itself around mid-grey, which stands for 0; ``norms`` are their lengths (L2), in channel order.
    """

    png: bytes
    kernel: Size
    columns: int
    norms: tuple[float, ...]


class FiltersRequest(JobRequest[Filters]):
    """The question what the first convolution looks for."""

    function = "explorer.live.feature_maps:filters"
    kind: Literal["filters"] = "filters"
    network: Network
    device: str = "auto"


class AblationCell(NamedTuple):
    """One branch scaled: what that does to the target's probability and logit, the mean over the pictures.

    ``flipped`` is the share of the pictures whose likeliest class became another.
    """

    module: str
    branch: str
    probability: float
    change: float
    logit_change: float
    flip_rate: float


class Ablation(Frozen):
    """A cell per module and branch, the mean over the pictures; ``probability`` is the target's with nothing scaled."""

    cells: tuple[AblationCell, ...]
    targets: tuple[int, ...]
    probability: float
    image_count: int


class AblationRequest(InspectionRequest[Ablation]):
    """The question what the answer loses when each branch of each module is scaled by ``factor``, one at a time.

    ``target`` is the class looked at; None means for each picture the class that the untouched network says.
    """

    function = "explorer.live.ablation:ablate"
    slow = True
    kind: Literal["ablation"] = "ablation"
    factor: float = 0.0
    target: int | None = None


class Attribution(Frozen):
    """A heat map over the network's input.

    ``total`` is the sum of all its values, ``expected`` what that should be where the method promises one (integrated
    gradients: how much larger the target's logit is than for the baseline, an input of zeros).
    """

    method: Method
    layer: str
    target: int
    probability: float
    heat: Heat
    total: float
    expected: float | None = None


class AttributionRequest(InspectionRequest[Attribution]):
    """The question where in the first picture the evidence for the class ``target`` lies (None: the class it says).

    ``layer`` is the path that Grad-CAM looks at (:func:`layers_for_grad_cam`); the other methods look at the picture.
    """

    function = "explorer.live.attribution:attribute"
    slow = True
    kind: Literal["attribution"] = "attribution"
    method: Method
    layer: str = ""
    target: int | None = None


class Maximization(WithImages):
    """The picture that was found, and the channel's mean response on the way, one per step."""

    path: str
    channel: int
    png: bytes
    responses: tuple[float, ...]


class MaximizationRequest(JobRequest[Maximization]):
    """The question which picture makes a channel of a layer or branch (``path``) answer most, climbed from ``seed``."""

    function = "explorer.live.maximization:maximize"
    slow = True
    kind: Literal["maximization"] = "maximization"
    network: Network
    path: str
    channel: int
    preprocessing: Preprocessing = Preprocessing()
    steps: int = 64
    seed: int = 0
    device: str = "auto"


class ImportedWeights(Frozen):
    """Weights ready for use: ``network`` names our copy of them, ``about`` says in a sentence what they are.

    With ``misfits`` there is no network, and each says one reason.
    """

    network: Network | None
    about: str
    misfits: tuple[Misfit, ...] = ()


class ImportRequest(JobRequest[ImportedWeights]):
    """The wish to use the weights in ``path``, a file that someone brought; ``config`` is the network on the page.

    A file of ours names its network; one in torchvision's layout is of the preset ``torchvision``, with as many classes
    and as many heads as it has; one with our names but no config is held against ``config``.
    """

    function = "explorer.jobs.weights:import_weights"
    slow = True
    kind: Literal["weights"] = "weights"
    path: str
    config: GoogLeNetConfig


class DownloadRequest(JobRequest[ImportedWeights]):
    """The wish to use torchvision's ImageNet weights, fetched from PyTorch's server into ``folder``."""

    function = "explorer.jobs.weights:download_weights"
    slow = True
    kind: Literal["download"] = "download"
    folder: str


def layers_for_grad_cam(config: GoogLeNetConfig) -> tuple[str, ...]:
    """Return the paths of the layers whose maps Grad-CAM can look at, the last one, the usual choice, first."""
    return tuple(f"inception_{module.name}.concat" for module in reversed(config.modules))


def scale_problems(config: GoogLeNetConfig, scales: tuple[Scale, ...]) -> tuple[Problem, ...]:
    """Say which scales name a branch that the network does not have."""
    branches = {module.name: module.branches for module in config.modules}
    return tuple(
        Problem(scale.module, scale.branch, f"There is no branch {scale.branch} in a module {scale.module}.")
        for scale in scales
        if scale.branch not in branches.get(scale.module, ())
    )
