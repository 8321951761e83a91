"""Requests of the page *Look inside* and their results. Free of torch: the server imports them too.

A request names a network with its weights, images by the path of their file in the content store
(:mod:`explorer.data.content_store`), and their preprocessing. Images in results are PNG files.
"""

from typing import Generic, Literal, NamedTuple

from pydantic import ConfigDict

from explorer.config import Frozen, GoogLeNetConfig
from explorer.data.preprocessing import Preprocessing, StepCode
from explorer.data.weights import Network, ShapeMismatch
from explorer.errors import Problem
from explorer.jobs.job import JobRequest, R

MAX_IMAGES = 64  # of one batch
MAX_TILES = 256  # feature maps of one strip
TILE = 32  # pixels: the longest side of a feature map in a strip

Method = Literal["grad_cam", "occlusion", "integrated_gradients"]
Size = tuple[int, int]  # height × width in pixels


class ImageResult(Frozen):
    """A value with bytes in it; in JSON they are base64."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class Scale(NamedTuple):
    """A branch whose output is multiplied by ``factor`` before the concatenation; 0 removes the branch."""

    module: str
    branch: str
    factor: float


class InspectionRequest(JobRequest[R], Generic[R]):
    """The fields that all requests about images share. ``scales`` changes the network for this request alone."""

    network: Network
    images: tuple[str, ...]
    preprocessing: Preprocessing = Preprocessing()
    scales: tuple[Scale, ...] = ()
    device: str = "auto"


class ClassScores(NamedTuple):
    """The output of one classifier for one image: class numbers and probabilities, the most probable first.

    ``entropy`` is in bits: 0 is certain, log2(classes) a uniform distribution.
    """

    classes: tuple[int, ...]
    probabilities: tuple[float, ...]
    entropy: float


class Prediction(Frozen):
    """The scores of the network for one image, and those of each auxiliary head, by the module it taps."""

    main: ClassScores
    aux: dict[str, ClassScores]


class InputStep(ImageResult):
    """A step of preprocessing (:class:`explorer.data.preprocessing.PreprocessingStep`) with a thumbnail as ``png``.

    ``size`` is the size of the whole image, ``low`` and ``high`` the extremes of its values.
    """

    code: StepCode
    size: Size
    low: float
    high: float
    png: bytes


class Predictions(Frozen):
    """One prediction per image, and the engine that answered.

    ``steps`` are those of preprocessing, if there is only one image.
    """

    predictions: tuple[Prediction, ...]
    device: str
    engine: str
    note: str = ""
    steps: tuple[InputStep, ...] = ()


class PredictionRequest(InspectionRequest[Predictions]):
    """Classify images: the ``top`` classes of the network and its auxiliary heads, with their probabilities."""

    function = "explorer.live.inference:predict"
    kind: Literal["prediction"] = "prediction"
    engine: str = "auto"
    folder: str = ""
    top: int = 5


class BranchActivity(NamedTuple):
    """Statistics of a branch's output.

    Its ``mean``, its ``sparsity`` (the fraction of zeros), and how many of its channels, ``first`` to ``last`` of the
    concatenation, are ``dead``: zero everywhere, in all images.
    """

    module: str
    branch: str
    first: int
    last: int
    mean: float
    sparsity: float
    dead: int


class Activity(Frozen):
    """The statistics of each branch of each module, in order."""

    branches: tuple[BranchActivity, ...]
    image_count: int


class ActivityRequest(InspectionRequest[Activity]):
    """Measure how active the branches of all modules are for these images."""

    function = "explorer.live.feature_maps:activity"
    kind: Literal["activity"] = "activity"


class Strip(ImageResult):
    """The feature maps of one branch as tiles of one grey image, the strongest response first, row by row.

    ``path`` is the layer or branch, ``branch`` its short name; its channels are ``first`` to ``last`` (inclusive) of
    the concatenation. ``channels`` are the channels of the tiles, counted within the branch; ``responses`` the mean of
    each over its positions. There are at most ``MAX_TILES``. Each tile is scaled by itself: black is 0, or the minimum
    if that is below 0, white the maximum. ``map_size`` is the size of the feature maps, ``tile`` that of a tile,
    ``columns`` the number of tiles in a row; ``mean``, ``sparsity`` and ``dead`` are as in :class:`BranchActivity`.
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
    """Compute all feature maps of a block for the first image.

    ``block`` is the name of a module, with a strip per branch, or ``stem``, with a strip per layer.
    """

    function = "explorer.live.feature_maps:maps"
    kind: Literal["maps"] = "maps"
    block: str


class Heat(ImageResult):
    """Numbers at each position of an image, as a grey PNG of their own size: 0 is ``low``, 255 is ``high``."""

    png: bytes
    size: Size
    low: float
    high: float


class FeatureMap(ImageResult):
    """One feature map; ``response`` is its mean over all positions. ``input_png`` is the network input."""

    path: str
    channel: int
    heat: Heat
    response: float
    input_png: bytes


class MapRequest(InspectionRequest[FeatureMap]):
    """Compute the feature map of one channel of a layer or branch (``path``) for the first image, at full size."""

    function = "explorer.live.feature_maps:feature_map"
    kind: Literal["map"] = "map"
    path: str
    channel: int


class Filters(ImageResult):
    """The kernels of the first layer as tiles of one image: in colour for 3 input channels, else grey (their mean).

    Each is scaled by itself around mid-grey, which is 0; ``norms`` are their L2 norms, in channel order.
    """

    png: bytes
    kernel: Size
    columns: int
    norms: tuple[float, ...]


class FiltersRequest(JobRequest[Filters]):
    """Draw the filters of the first convolution."""

    function = "explorer.live.feature_maps:filters"
    kind: Literal["filters"] = "filters"
    network: Network
    device: str = "auto"


class AblationCell(NamedTuple):
    """One scaled branch: the effect on the target's probability and logit, the mean over the images.

    ``flip_rate`` is the fraction of the images whose predicted class changes.
    """

    module: str
    branch: str
    probability: float
    change: float
    logit_change: float
    flip_rate: float


class Ablation(Frozen):
    """A cell per module and branch, the mean over the images.

    ``probability`` is the target's without scaling, ``targets`` the target class of each image.
    """

    cells: tuple[AblationCell, ...]
    targets: tuple[int, ...]
    probability: float
    image_count: int


class AblationRequest(InspectionRequest[Ablation]):
    """Measure how the prediction changes when each branch of each module is scaled by ``factor``, one at a time.

    ``target`` is the class whose probability is compared; None is the predicted class of each image.
    """

    function = "explorer.live.ablation:ablate"
    slow = True
    kind: Literal["ablation"] = "ablation"
    factor: float = 0.0
    target: int | None = None


class Attribution(ImageResult):
    """A heat map over the network input, ``input_png``.

    ``total`` is the sum of its values. ``expected`` is what the method guarantees for that sum, if it does: for
    integrated gradients, how much larger the target's logit is than for the baseline, an input of zeros.
    """

    method: Method
    layer: str
    target: int
    probability: float
    heat: Heat
    total: float
    expected: float | None = None
    input_png: bytes


class AttributionRequest(InspectionRequest[Attribution]):
    """Find the evidence for the class ``target`` in the first image (None: the predicted class).

    ``layer`` is the path of Grad-CAM's layer (:func:`layers_for_grad_cam`); the other methods work on the input.
    """

    function = "explorer.live.attribution:attribute"
    slow = True
    kind: Literal["attribution"] = "attribution"
    method: Method
    layer: str = ""
    target: int | None = None


class Maximization(ImageResult):
    """The image with the largest response found, and the channel's mean response at each step."""

    path: str
    channel: int
    png: bytes
    responses: tuple[float, ...]


class MaximizationRequest(JobRequest[Maximization]):
    """Find an image that maximizes the mean response of a channel of a layer or branch (``path``)."""

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


class Evaluation(Frozen):
    """For each image its label, the predicted class, and the maximum softmax: the probability of that class."""

    labels: tuple[int, ...]
    predicted: tuple[int, ...]
    confidences: tuple[float, ...]

    @property
    def correct(self) -> int:
        """How many images are classified correctly."""
        return sum(label == predicted for label, predicted in zip(self.labels, self.predicted, strict=True))


class EvaluationRequest(JobRequest[Evaluation]):
    """Classify many test images: those in the file ``stored``, or those of a dataset in the data directory ``folder``.

    ``stored`` is the file of an :class:`explorer.data.own_test_images.OwnTestImages`, ``dataset`` a ``DatasetChoice``
    as JSON.
    """

    function = "explorer.live.evaluation:evaluate"
    slow = True
    kind: Literal["evaluation"] = "evaluation"
    network: Network
    preprocessing: Preprocessing
    device: str = "auto"
    stored: str = ""
    dataset: str = ""
    folder: str = ""


class ImportedWeights(Frozen):
    """Imported weights: ``network`` has the path of our copy, ``about`` describes them in a sentence.

    If the weights do not fit, ``network`` is None and ``mismatches`` lists the tensors.
    """

    network: Network | None
    about: str
    mismatches: tuple[ShapeMismatch, ...] = ()


class ImportRequest(JobRequest[ImportedWeights]):
    """Import the weights in ``path``, a file that a user uploaded as ``name``; ``config`` is the network on the page.

    The new file is written to ``folder``, by default that of the old one.

    A file of this app has its own config; one in torchvision's layout belongs to the preset ``torchvision``, with as
    many classes and heads as the file has; one with this app's names but no config is compared with ``config``.
    """

    function = "explorer.jobs.weights:import_weights"
    slow = True
    kind: Literal["weights"] = "weights"
    path: str
    config: GoogLeNetConfig
    folder: str = ""
    name: str = ""


class DownloadRequest(JobRequest[ImportedWeights]):
    """Download torchvision's ImageNet weights from PyTorch's server into ``folder`` and import them."""

    function = "explorer.jobs.weights:download_weights"
    slow = True
    kind: Literal["download"] = "download"
    folder: str


def layers_for_grad_cam(config: GoogLeNetConfig) -> tuple[str, ...]:
    """Return the paths of the layers that Grad-CAM can use: the outputs of the modules, the last one first."""
    return tuple(f"inception_{module.name}.concat" for module in reversed(config.modules))


def scale_problems(config: GoogLeNetConfig, scales: tuple[Scale, ...]) -> tuple[Problem, ...]:
    """Return a problem for each scale whose branch is not in the network."""
    branches = {module.name: module.branches for module in config.modules}
    return tuple(
        Problem(scale.module, scale.branch, f"There is no branch {scale.branch} in a module {scale.module}.")
        for scale in scales
        if scale.branch not in branches.get(scale.module, ())
    )
