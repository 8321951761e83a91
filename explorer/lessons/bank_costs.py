"""Questions on the cost of convolutions and networks.

Each maker draws one subject and returns a draft, or None when the network has no such subject. The distractors are
common mistakes: forgotten input channels or positions, added biases, a concatenation taken for a sum.
"""

from math import prod
from random import Random

from explorer.arithmetic import conv_weights
from explorer.lessons.audit import mult_adds
from explorer.lessons.drafts import BRANCH, Distractor, QuestionDraft, channel_flow, conv_name, draw_conv, product
from explorer.lessons.reduction import branch_case
from explorer.reduction import direct_path, reduction_path
from explorer.summary import LayerRow, NetworkSummary


def conv_weight_count(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the weights of one convolution in a branch."""
    row = draw_conv(summary, rng, larger=True) or draw_conv(summary, rng)
    if row is None:
        return None
    inputs, filters, k = row.in_shape[0], row.out_shape[0], row.window.kernel[0]
    module_inputs = next(layer for layer in summary.rows if layer.module == row.module).in_shape[0]
    distractors = (
        Distractor(k * k * filters, "forgot the input channels: every kernel spans all of them"),
        Distractor(row.macs, "counted MACs: each weight is used once per position, but it is one number"),
        Distractor(row.weights + filters, "added the biases: the question is about weights"),
        Distractor(inputs * k * filters, "used k instead of k · k: a k×k kernel has k · k weights per channel"),
        Distractor(inputs * k * k, "counted one kernel only"),
        Distractor(
            conv_weights(module_inputs, filters, k),
            "used the module's input channels: after a reduction there are fewer",
        ),
    )
    return QuestionDraft(
        f"How many weights (without biases) does {conv_name(row)} {channel_flow(row)} have?",
        row.weights,
        "weights",
        product(inputs, k, k, filters),
        "Each kernel spans every input channel: input channels · height · width · output channels.",
        (row.path, "weights"),
        distractors,
    )


def conv_mac_count(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the MACs of one convolution."""
    row = draw_conv(summary, rng)
    if row is None:
        return None
    (inputs, *_), (filters, height, width), k = row.in_shape, row.out_shape, row.window.kernel[0]
    distractors = (
        Distractor(row.weights, "gave the weights: each is used once at every position"),
        Distractor(2 * row.macs, "gave FLOPs, which are 2 × MACs"),
        Distractor(k * k * filters * height * width, "forgot the input channels"),
        Distractor(row.weights * height, "counted the positions along one side only"),
        Distractor(row.macs + filters * height * width, "counted the additions of biases, which are not MACs"),
    )
    return QuestionDraft(
        f"How many MACs does {conv_name(row)} {channel_flow(row)} need on a feature map of {height}×{width}?",
        row.macs,
        "MACs",
        product(inputs, k, k, filters, height, width),
        "Each weight is used once at each of the H · W positions.",
        (row.path, "macs"),
        distractors,
    )


def concat_width(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the output channels of a module."""
    module = rng.choice(summary.config.modules)
    rows = [row for row in summary.rows if row.module == module.name]
    ends = [_last(rows, branch).out_shape[0] for branch in module.branches]
    inputs, out = rows[0].in_shape[0], rows[-1].out_shape[0]
    reductions = sum(row.out_shape[0] for row in rows if row.path.endswith(".reduce"))
    parts = ", ".join(f"{BRANCH[b]}: {n:,}" for b, n in zip(module.branches, ends, strict=True))
    distractors = (
        Distractor(max(ends), "took the widest branch, as if the outputs were summed: they are concatenated"),
        Distractor(out + reductions, "included the reductions, which stay inside the branches"),
        Distractor(out + inputs, "added the input, as a residual network would"),
        Distractor(out - ends[-1], "omitted the last branch"),
        Distractor(inputs, "gave the input channels"),
        Distractor(prod(ends[:2]), "multiplied: concatenated channels add up"),
    )
    return QuestionDraft(
        f"The branches of {module.name} have these output channels: {parts}. How many does the module have?",
        out,
        "channels",
        " + ".join(f"{n:,}" for n in ends),
        "The branches are concatenated along the channels, so their channels add up.",
        (f"inception_{module.name}.concat", "channels"),
        distractors,
    )


def _last(rows: list[LayerRow], branch: str) -> LayerRow:
    return [row for row in rows if row.branch == branch][-1]


def _draw_reduction(summary: NetworkSummary, rng: Random) -> tuple[str, str] | None:
    """Draw the module and the branch of a reduction; None when there is none, or when the 5×5 is two 3×3."""
    found = [
        (module.name, branch)
        for module in summary.config.modules
        for branch in ("3x3", "5x5")
        if branch in module.branches and getattr(module, f"ch{branch}_reduce") is not None
    ]
    return rng.choice(found) if found and summary.config.kernel_5x5 != "two_3x3" else None


def without_the_reduction(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how many weights a branch's convolution would have without its reduction."""
    subject = _draw_reduction(summary, rng)
    if subject is None:
        return None
    case = branch_case(summary, *subject, biases=False, default_reduction=1)
    plain, both, k = direct_path(case), reduction_path(case), case.kernel
    distractors = (
        Distractor(both.parameters, "gave the weights with the reduction"),
        Distractor(both.layers[1].weights, "used the reduced channels as the input of the convolution"),
        Distractor(k * k * case.filters, "forgot the input channels"),
        Distractor(plain.parameters + case.filters, "added the biases"),
        Distractor(plain.parameters + both.layers[0].weights, "included the 1×1 convolution"),
        Distractor(plain.macs, "counted MACs"),
    )
    return QuestionDraft(
        f"{subject[0]} has {case.inputs:,} input channels. How many weights would the {case.filters:,} {k}×{k} kernels "
        f"of its {BRANCH[subject[1]]} branch have without the 1×1 reduction?",
        plain.parameters,
        "weights",
        product(case.inputs, k, k, case.filters),
        "Without a reduction each kernel spans all input channels.",
        ("/".join(subject), "direct"),
        distractors,
    )


def with_the_reduction(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how many weights a branch's reduction and convolution have together."""
    subject = _draw_reduction(summary, rng)
    if subject is None:
        return None
    case = branch_case(summary, *subject, biases=False, default_reduction=1)
    plain, both, k = direct_path(case), reduction_path(case), case.kernel
    first, second = (layer.weights for layer in both.layers)
    distractors = (
        Distractor(plain.parameters, "gave the weights without the reduction"),
        Distractor(second, "omitted the 1×1 convolution: it has weights too"),
        Distractor(first, "counted the 1×1 only"),
        Distractor(first + case.filters * k * k, "forgot that the kernels span the reduced channels"),
        Distractor(first + second + case.filters + case.reduction, "added the biases"),
        Distractor(plain.parameters - second, "gave a difference: the question asks for the sum, not for the saving"),
    )
    return QuestionDraft(
        f"The {BRANCH[subject[1]]} branch of {subject[0]}: {case.inputs:,} channels → 1×1 → {case.reduction:,} → "
        f"{k}×{k} → {case.filters:,}. How many weights do both convolutions have together?",
        both.parameters,
        "weights",
        f"{product(case.inputs, case.reduction)} + {product(case.reduction, k, k, case.filters)}",
        "The 1×1 has input channels · r weights; the kernels after it span only its r output channels.",
        ("/".join(subject), "reduced"),
        distractors,
    )


def network_flops(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the FLOPs of the network, given its MACs."""
    macs = summary.macs()
    distractors = (
        Distractor(macs, "gave MACs: each is a multiplication and an addition"),
        Distractor(mult_adds(summary), "gave torchinfo's mult-adds, which also count biases and BatchNorm"),
        Distractor(2 * mult_adds(summary), "doubled torchinfo's mult-adds"),
        Distractor(2 * summary.macs(aux=True), "counted the auxiliary heads, which do not run at inference"),
        Distractor(macs + summary.parameters(aux=False), "added the parameters"),
    )
    return QuestionDraft(
        f"One image needs {macs:,} MACs. How many FLOPs is that?",
        2 * macs,
        "FLOPs",
        product(2, macs),
        "FLOPs = 2 × MACs: one multiplication and one addition each.",
        ("network", "flops"),
        distractors,
    )


def layer_parameters(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the trainable parameters of a convolution with its biases and BatchNorm."""
    row = draw_conv(summary, rng)
    if row is None:
        return None
    inputs, filters, k = row.in_shape[0], row.out_shape[0], row.window.kernel[0]
    extra = [("biases", row.biases), ("BatchNorm's γ and β", row.norm)]
    extra_terms = [f"{n:,}" for _, n in extra if n]
    names = " and ".join(name for name, n in extra if n)
    omitted = Distractor(row.weights, f"omitted the {names}")
    distractors = (
        omitted if names else Distractor(row.weights + filters, "added biases, which this network does not have"),
        Distractor(
            row.parameters + 2 * filters,
            "added two numbers per kernel, like BatchNorm's running statistics, which are not trained",
        ),
        Distractor(row.macs, "counted MACs"),
        Distractor(k * k * filters + row.biases + row.norm, "forgot the input channels"),
        Distractor(4 * row.parameters, "gave bytes: a float32 has four"),
    )
    return QuestionDraft(
        f"How many trainable parameters does {conv_name(row)} {channel_flow(row)} have in this network "
        f"(weights{', ' + names if names else ' only'})?",
        row.parameters,
        "parameters",
        " + ".join([product(inputs, k, k, filters), *extra_terms]),
        "A bias is one number per kernel, γ and β are two; running statistics are not trained.",
        (row.path, "parameters"),
        distractors,
    )


def float_bytes(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how many bytes the parameters need as float32."""
    parameters = summary.parameters(aux=False)
    distractors = (
        Distractor(parameters, "used one byte per parameter"),
        Distractor(2 * parameters, "used half precision: float32 has four bytes"),
        Distractor(8 * parameters, "used double precision: float32 has four bytes"),
        Distractor(4 * summary.parameters(), "included the auxiliary heads"),
        Distractor(32 * parameters, "gave bits"),
    )
    return QuestionDraft(
        f"The network has {parameters:,} parameters at inference. How many bytes do they need as float32?",
        4 * parameters,
        "bytes",
        product(4, parameters),
        "A float32 is 32 bits, four bytes.",
        ("network", "bytes"),
        distractors,
    )
