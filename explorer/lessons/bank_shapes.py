"""Questions on auxiliary heads, sizes and receptive fields.

Each maker draws one subject and returns a draft, or None when the network has no such subject.
"""

from math import prod
from random import Random

from explorer.arithmetic import conv_size
from explorer.lessons.auxiliary import head_costs, hidden_inputs, pooled_size, reachable_blocks
from explorer.lessons.drafts import Distractor, QuestionDraft, conv_name, draw_conv, draw_tap, product
from explorer.summary import NetworkSummary


def flattened_length(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how long a head's flattened vector is."""
    tap = draw_tap(summary, rng)
    if tap is None:
        return None
    filters, (height, width) = summary.config.aux.conv, pooled_size(summary, tap)
    channels, *before = summary.by_path[f"aux_{tap}.pool"].in_shape
    distractors = (
        Distractor(channels * height * width, "omitted the 1×1 convolution"),
        Distractor(filters * prod(before), "omitted the pooling"),
        Distractor(filters, "averaged over the whole feature map, as the main classifier does"),
        Distractor(filters * height, "multiplied by one side only"),
        Distractor(summary.config.aux.hidden, "gave the width of the hidden layer"),
        Distractor(filters + height * width, "added the positions: every channel has all of them, so multiply"),
    )
    return QuestionDraft(
        f"The auxiliary head at {tap}: {channels:,} × {before[0]} × {before[1]} → average pool → {height}×{width} → "
        f"1×1 convolution with {filters:,} filters → flatten. How long is the vector?",
        hidden_inputs(summary, tap),
        "numbers",
        product(filters, height, width),
        "Flattening keeps every position of every channel.",
        (f"aux_{tap}.fc", "inputs"),
        distractors,
    )


def head_parameters(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the parameters of a head's hidden layer, biases included."""
    tap = draw_tap(summary, rng)
    if tap is None:
        return None
    row = summary.by_path[f"aux_{tap}.fc"]
    inputs, hidden = row.in_shape[0], row.out_shape[0]
    filters = summary.config.aux.conv
    distractors = (
        Distractor(row.weights, "omitted the biases"),
        Distractor(inputs + hidden, "added inputs and units: every input is connected to every unit, so multiply"),
        Distractor(filters * hidden + hidden, "forgot to flatten: each position of each channel is a separate input"),
        Distractor(row.weights + inputs, "added one bias per input: there is one per unit"),
        Distractor(hidden * summary.config.classes + summary.config.classes, "used the classifier after it"),
    )
    return QuestionDraft(
        f"The hidden layer of the auxiliary head at {tap} has {inputs:,} inputs and {hidden:,} outputs. How many "
        "parameters does it have, weights and biases?",
        row.parameters,
        "parameters",
        f"{product(inputs, hidden)} + {hidden:,}",
        "Every input is connected to every unit, and each unit has one bias.",
        (row.path, "parameters"),
        distractors,
    )


def reachable_module_count(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how many Inception modules a head's gradient reaches."""
    tap = draw_tap(summary, rng)
    if tap is None:
        return None
    names = [module.name for module in summary.config.modules]
    before, count = names.index(tap), len(reachable_blocks(summary.config, tap)) - 1
    distractors = (
        Distractor(len(names), "let the gradient flow forwards: it only flows back from the tapped module"),
        Distractor(len(names) - count, "counted the modules after the tapped one"),
        Distractor(before, "omitted the tapped module: the head is attached to its output"),
        Distractor(count + 1, "counted one module after the tapped one"),
        Distractor(count + 2, "counted two modules after the tapped one"),
    )
    return QuestionDraft(
        f"The modules are {', '.join(names)}. How many of them does the gradient of the auxiliary head at {tap} reach?",
        count,
        "modules",
        f"{before} + 1",
        f"It flows back from {tap}: the {before} modules before it, and {tap} itself.",
        (tap, "reached"),
        distractors,
    )


def inference_parameters(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how many parameters remain without the heads."""
    costs, total = head_costs(summary), summary.parameters()
    if not costs.heads:
        return None
    first = costs.heads[0][1]
    distractors = (
        Distractor(total, "included the heads, which do not run at inference"),
        Distractor(costs.parameters, "counted the heads alone"),
        Distractor(total - first, "subtracted only one head" if len(costs.heads) > 1 else "included the heads"),
        Distractor(total + costs.parameters, "added the heads instead of subtracting them"),
        Distractor(costs.main_parameters - costs.parameters, "subtracted the heads twice"),
        Distractor(2 * costs.main_parameters, "doubled the number, as from MACs to FLOPs"),
    )
    return QuestionDraft(
        f"In training the network has {total:,} parameters, {costs.parameters:,} of them in its auxiliary heads. How "
        "many parameters does it use at inference?",
        costs.main_parameters,
        "parameters",
        f"{total:,} − {costs.parameters:,}",
        "The heads are used in training only and removed afterwards.",
        ("network", "parameters"),
        distractors,
    )


def pooled_side(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the height after a max pool between two stages."""
    rows = [row for row in summary.rows if row.kind == "max_pool" and row.branch is None]
    row = rng.choice(rows)
    side, out, ((k, _), stride, pad) = row.in_shape[1], row.out_shape[1], row.window
    up = (side + 2 * pad - k) % stride != 0 and out > conv_size(side, k, stride, pad)
    rounding = "rounding up" if up else "rounding down" if (side + 2 * pad - k) % stride else "no rounding needed"
    distractors = (
        Distractor(conv_size(side, k, stride, pad), "rounded down"),
        Distractor(-((k - side - 2 * pad) // stride) + 1, "rounded up"),
        Distractor(side - k + 1, "forgot the stride"),
        Distractor(out - 1, "forgot the + 1"),
        Distractor(out + 1, "counted one window too many"),
        Distractor(side // k, "divided by the kernel instead of the stride"),
        Distractor(side, "did not change the size"),
    )
    last_start = (out - 1) * stride
    return QuestionDraft(
        f"{row.path}: a {k}×{k} max pool, stride {stride}, padding {pad}, {rounding}, on a feature map {side} pixels "
        "high. How high is the output?",
        out,
        "pixels",
        f"{last_start} ÷ {stride} + 1",
        f"(n + 2p − k) ÷ s + 1 with n = {side}: the last window starts {last_start} pixels after the first, and each "
        f"starts {stride} after the one before.",
        (row.path, "height"),
        distractors,
    )


def widened_field(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the receptive field after a convolution, given the one before it."""
    row = draw_conv(summary, rng, larger=True)
    if row is None:
        return None
    k, jump, after = row.window.kernel[0], row.spacing, row.receptive_field
    before = after - (k - 1) * jump
    distractors = (
        Distractor(before + k * jump, "added k instead of k − 1"),
        Distractor(before + k - 1, "forgot that neighbouring positions are more than one pixel apart"),
        Distractor(before + k, "added the kernel size, as if neighbours were one pixel apart"),
        Distractor(before * k, "multiplied by the kernel"),
        Distractor(before + 2 * (k - 1) * jump, "counted k − 1 on each side: it is the sum of both sides"),
        Distractor(before, "did not add anything for the kernel"),
    )
    return QuestionDraft(
        f"Before {conv_name(row)} the receptive field is {before} pixels, and neighbouring positions are {jump} pixels "
        "apart. How large is the receptive field after it?",
        after,
        "pixels",
        f"{before} + ({k} − 1) · {jump}",
        "A kernel covers k − 1 more positions, each one jump apart: r + (k − 1) · j.",
        (row.path, "receptive_field"),
        distractors,
    )


def module_jump(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how far apart neighbouring positions of a module lie in the image."""
    module = rng.choice(summary.config.modules)
    row = summary.concat(module.name)
    jump = row.spacing
    strides = [
        layer.window.stride
        for layer in summary.rows[: summary.rows.index(row)]
        if layer.aux is None and layer.branch is None and layer.kind in ("conv", "max_pool") and layer.window.stride > 1
    ]
    distractors = (
        Distractor(sum(strides), "added the strides: they multiply"),
        Distractor(jump // 2, "missed one pool"),
        Distractor(2 * jump, "counted one pool too many"),
        Distractor(len(strides), "counted the layers"),
        Distractor(row.receptive_field, "gave the receptive field"),
        Distractor(row.out_shape[1], "gave the height of the feature map"),
    )
    return QuestionDraft(
        f"From the image to {module.name}, these strides are larger than 1: {', '.join(map(str, strides))}. How many "
        "pixels of the image are two neighbouring positions apart there?",
        jump,
        "pixels",
        product(*strides),
        "Each stride multiplies the distance.",
        (row.path, "jump"),
        distractors,
    )
