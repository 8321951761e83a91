"""Questions on what convolutions and networks cost. Each maker draws one subject and returns a draft, or None.

Slips are mistakes that classes really make: input channels or positions forgotten, biases, sums taken for stacks.
"""

from math import prod
from random import Random

from explorer.analysis import LayerRow, NetworkSummary
from explorer.arithmetic import conv_weights
from explorer.lessons.audit import mult_adds
from explorer.lessons.drafts import BRANCH, Distractor, QuestionDraft, any_conv, flow, named, times
from explorer.lessons.reduction import branch_case
from explorer.reduction import direct_path, reduction_path


def conv_weight_count(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the weights of one convolution in a branch."""
    row = any_conv(summary, rng, larger=True) or any_conv(summary, rng)
    if row is None:
        return None
    inputs, filters, k = row.in_shape[0], row.out_shape[0], row.kernel[0]
    entrance = next(r for r in summary.rows if r.module == row.module).in_shape[0]
    slips = (
        Distractor(k * k * filters, "forgot the input channels: every kernel spans all of them"),
        Distractor(row.macs, "counted MACs: each weight is used once per position, but it is one number"),
        Distractor(row.weights + filters, "added the biases: the question is about weights"),
        Distractor(inputs * k * filters, "took the kernel as a line: a k×k kernel has k · k places"),
        Distractor(inputs * k * k, "counted one kernel only"),
        Distractor(
            conv_weights(entrance, filters, k), "took the module's input: behind a reduction there are fewer channels"
        ),
    )
    return QuestionDraft(
        f"How many weights (without biases) has {named(row)} {flow(row)}?",
        row.weights,
        "weights",
        times(inputs, k, k, filters),
        "Each of the kernels spans every input channel: channels in · height · width · channels out.",
        (row.path, "weights"),
        slips,
    )


def conv_mac_count(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the MACs of one convolution."""
    row = any_conv(summary, rng)
    if row is None:
        return None
    (inputs, *_), (filters, height, width), k = row.in_shape, row.out_shape, row.kernel[0]
    slips = (
        Distractor(row.weights, "gave the weights: each is used once at every position"),
        Distractor(2 * row.macs, "gave FLOPs, which are 2 × MACs"),
        Distractor(k * k * filters * height * width, "forgot the input channels"),
        Distractor(row.weights * height, "counted the positions along one side only"),
        Distractor(row.macs + filters * height * width, "counted the biases' additions, which are no MACs here"),
    )
    return QuestionDraft(
        f"How many MACs does {named(row)} {flow(row)} take on a picture of {height}×{width}?",
        row.macs,
        "MACs",
        times(inputs, k, k, filters, height, width),
        "Each weight is used once at each of the H · W positions.",
        (row.path, "macs"),
        slips,
    )


def concat_width(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the channels that leave a module."""
    module = rng.choice(summary.config.modules)
    rows = [row for row in summary.rows if row.module == module.name]
    ends = [max(r.out_shape[0] for r in rows if r.branch == b and r is _last(rows, b)) for b in module.branches]
    entrance, out = rows[0].in_shape[0], rows[-1].out_shape[0]
    reductions = sum(row.out_shape[0] for row in rows if row.path.endswith(".reduce"))
    parts = ", ".join(f"{BRANCH[b]}: {n:,}" for b, n in zip(module.branches, ends, strict=True))
    slips = (
        Distractor(max(ends), "added the branches up position by position: they are stacked, not summed"),
        Distractor(out + reductions, "counted the reductions too, which stay inside the branches"),
        Distractor(out + entrance, "added the input, as a residual network would"),
        Distractor(out - ends[-1], "left the last branch out"),
        Distractor(entrance, "gave the input channels"),
        Distractor(prod(ends[:2]), "multiplied where the branches are stacked"),
    )
    return QuestionDraft(
        f"The branches of {module.name} end with these channels — {parts}. How many channels leave the module?",
        out,
        "channels",
        " + ".join(f"{n:,}" for n in ends),
        "The branches are concatenated along the channels, so their widths add up.",
        (f"inception_{module.name}.concat", "channels"),
        slips,
    )


def _last(rows: list[LayerRow], branch: str) -> LayerRow:
    return [row for row in rows if row.branch == branch][-1]


def _reducing(summary: NetworkSummary, rng: Random) -> tuple[str, str] | None:
    found = [
        (module.name, branch)
        for module in summary.config.modules
        for branch in ("3x3", "5x5")
        if branch in module.branches and getattr(module, f"ch{branch}_reduce") is not None
    ]
    return rng.choice(found) if found and summary.config.kernel_5x5 != "two_3x3" else None


def without_the_reduction(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask what a branch's convolution would weigh on all input channels."""
    subject = _reducing(summary, rng)
    if subject is None:
        return None
    case = branch_case(summary, *subject, biases=False, default_reduction=1)
    plain, both, k = direct_path(case), reduction_path(case), case.kernel
    slips = (
        Distractor(both.parameters, "gave the weights with the reduction"),
        Distractor(both.layers[1].weights, "let the convolution see the reduced channels"),
        Distractor(k * k * case.filters, "forgot the input channels"),
        Distractor(plain.parameters + case.filters, "added the biases"),
        Distractor(plain.parameters + both.layers[0].weights, "left the 1×1 in beside it"),
        Distractor(plain.macs, "counted MACs"),
    )
    return QuestionDraft(
        f"{subject[0]} has {case.inputs:,} channels in. How many weights would the {case.filters:,} {k}×{k} kernels of "
        f"its {BRANCH[subject[1]]} branch have without the 1×1 reduction?",
        plain.parameters,
        "weights",
        times(case.inputs, k, k, case.filters),
        "Without a reduction each kernel spans all input channels.",
        ("/".join(subject), "direct"),
        slips,
    )


def with_the_reduction(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask what reduction and convolution of a branch weigh together."""
    subject = _reducing(summary, rng)
    if subject is None:
        return None
    case = branch_case(summary, *subject, biases=False, default_reduction=1)
    plain, both, k = direct_path(case), reduction_path(case), case.kernel
    first, second = (layer.weights for layer in both.layers)
    slips = (
        Distractor(plain.parameters, "gave the weights without the reduction"),
        Distractor(second, "left the 1×1 out: it has weights of its own"),
        Distractor(first, "counted the 1×1 only"),
        Distractor(first + case.filters * k * k, "forgot that the kernels span the reduced channels"),
        Distractor(first + second + case.filters + case.reduction, "added the biases"),
        Distractor(plain.parameters - second, "gave a difference: ask what is there, not what is saved"),
    )
    return QuestionDraft(
        f"The {BRANCH[subject[1]]} branch of {subject[0]}: {case.inputs:,} channels → 1×1 → {case.reduction:,} → "
        f"{k}×{k} → {case.filters:,}. How many weights do both convolutions have together?",
        both.parameters,
        "weights",
        f"{times(case.inputs, case.reduction)} + {times(case.reduction, k, k, case.filters)}",
        "The 1×1 has channels in · r weights; the kernels behind it span only the r channels it leaves.",
        ("/".join(subject), "reduced"),
        slips,
    )


def network_flops(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the FLOPs of the network, given its MACs."""
    macs = summary.macs()
    slips = (
        Distractor(macs, "gave MACs: each is a multiplication and an addition"),
        Distractor(mult_adds(summary), "gave torchinfo's mult-adds, a third way of counting"),
        Distractor(2 * mult_adds(summary), "doubled torchinfo's mult-adds"),
        Distractor(2 * summary.macs(aux=True), "counted the auxiliary heads, which do not run at inference"),
        Distractor(macs + summary.parameters(aux=False), "added the parameters"),
    )
    return QuestionDraft(
        f"One image takes {macs:,} MACs. How many FLOPs is that?",
        2 * macs,
        "FLOPs",
        times(2, macs),
        "FLOPs = 2 × MACs: one multiplication and one addition each.",
        ("network", "flops"),
        slips,
    )


def layer_parameters(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for everything that is learned in one convolution block of this network."""
    row = any_conv(summary, rng)
    if row is None:
        return None
    inputs, filters, k = row.in_shape[0], row.out_shape[0], row.kernel[0]
    extra = [("biases", row.biases), ("BatchNorm's γ and β", row.norm)]
    shown = [f"{n:,}" for _, n in extra if n]
    names = " and ".join(what for what, n in extra if n)
    left_out = Distractor(row.weights, f"left the {names} out")
    slips = (
        left_out if names else Distractor(row.weights + filters, "added biases, which this network does not have"),
        Distractor(
            row.parameters + 2 * filters, "counted two more numbers per filter, as BatchNorm's running statistics"
        ),
        Distractor(row.macs, "counted MACs"),
        Distractor(k * k * filters + row.biases + row.norm, "forgot the input channels"),
        Distractor(4 * row.parameters, "gave bytes: float32 takes four each"),
    )
    return QuestionDraft(
        f"How many trainable parameters has {named(row)} {flow(row)} in this network "
        f"({names or 'nothing'} beside the weights)?",
        row.parameters,
        "parameters",
        " + ".join([times(inputs, k, k, filters), *shown]),
        "A bias is one number per filter, γ and β are two; running statistics are not learned.",
        (row.path, "parameters"),
        slips,
    )


def float_bytes(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how many bytes the parameters take as float32."""
    parameters = summary.parameters(aux=False)
    slips = (
        Distractor(parameters, "counted a byte each"),
        Distractor(2 * parameters, "took half precision: float32 has four bytes"),
        Distractor(8 * parameters, "took double precision: float32 has four bytes"),
        Distractor(4 * summary.parameters(), "kept the auxiliary heads"),
        Distractor(32 * parameters, "gave bits"),
    )
    return QuestionDraft(
        f"The network has {parameters:,} parameters at inference. How many bytes are they as float32?",
        4 * parameters,
        "bytes",
        times(4, parameters),
        "A float32 is 32 bits, four bytes.",
        ("network", "bytes"),
        slips,
    )
