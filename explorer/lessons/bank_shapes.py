"""Questions on auxiliary heads, sizes and receptive fields. Each maker draws one subject; None where there is none."""

from math import prod
from random import Random

from explorer.analysis import NetworkSummary
from explorer.arithmetic import conv_size
from explorer.lessons.auxiliary import hidden_inputs, ledger, pooled_size, reached
from explorer.lessons.drafts import Distractor, QuestionDraft, any_conv, any_tap, named, times


def flattened_length(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how long a head's flattened vector is."""
    tap = any_tap(summary, rng)
    if tap is None:
        return None
    filters, (height, width) = summary.config.aux.conv, pooled_size(summary, tap)
    channels, *before = summary.by_path[f"aux_{tap}.pool"].in_shape
    slips = (
        Distractor(channels * height * width, "left the 1×1 convolution out"),
        Distractor(filters * prod(before), "left the pooling out"),
        Distractor(filters, "averaged over the whole picture, as the main classifier does"),
        Distractor(filters * height, "flattened one side only"),
        Distractor(summary.config.aux.hidden, "gave the width of the hidden layer"),
        Distractor(filters + height * width, "added where each channel has all positions"),
    )
    return QuestionDraft(
        f"The head on {tap}: {channels:,} × {before[0]} × {before[1]} → average pool → {height}×{width} → 1×1 "
        f"convolution with {filters:,} filters → flatten. How long is the vector?",
        hidden_inputs(summary, tap),
        "numbers",
        times(filters, height, width),
        "Flattening keeps every position of every channel.",
        (f"aux_{tap}.fc", "inputs"),
        slips,
    )


def head_parameters(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the parameters of a head's hidden layer, biases included."""
    tap = any_tap(summary, rng)
    if tap is None:
        return None
    row = summary.by_path[f"aux_{tap}.fc"]
    inputs, hidden = row.in_shape[0], row.out_shape[0]
    filters = summary.config.aux.conv
    slips = (
        Distractor(row.weights, "left the biases out"),
        Distractor(inputs + hidden, "added where every input meets every unit"),
        Distractor(filters * hidden + hidden, "forgot to flatten: each position is an input of its own"),
        Distractor(row.weights + inputs, "gave every input a bias: each unit has one"),
        Distractor(hidden * summary.config.classes + summary.config.classes, "took the classifier behind it"),
    )
    return QuestionDraft(
        f"The hidden layer of the head on {tap} takes {inputs:,} numbers to {hidden:,}. How many parameters has it, "
        "weights and biases?",
        row.parameters,
        "parameters",
        f"{times(inputs, hidden)} + {hidden:,}",
        "Every input meets every unit, and each unit has one bias.",
        (row.path, "parameters"),
        slips,
    )


def reached_blocks(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how many Inception modules a head's gradient reaches."""
    tap = any_tap(summary, rng)
    if tap is None:
        return None
    names = [module.name for module in summary.config.modules]
    before, count = names.index(tap), len(reached(summary.config, tap)) - 1
    slips = (
        Distractor(len(names), "let the gradient flow forwards: it goes back from the tap only"),
        Distractor(len(names) - count, "counted the modules behind the tap"),
        Distractor(before, "left the tapped module out: the head hangs on its output"),
        Distractor(count + 1, "counted one module beyond the tap"),
        Distractor(count + 2, "counted two modules beyond the tap"),
    )
    return QuestionDraft(
        f"The modules are {', '.join(names)}. How many of them does the gradient of the head on {tap} reach?",
        count,
        "modules",
        f"{before} + 1",
        f"It flows back from {tap}: the {before} modules before it, and {tap} itself.",
        (tap, "reached"),
        slips,
    )


def inference_parameters(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask what is left of the parameters when the heads are gone."""
    book, whole = ledger(summary), summary.parameters()
    if not book.heads:
        return None
    first = book.heads[0][1]
    slips = (
        Distractor(whole, "kept the heads, which do not run at inference"),
        Distractor(book.parameters, "counted the heads alone"),
        Distractor(whole - first, "took one head away" if len(book.heads) > 1 else "kept the heads"),
        Distractor(whole + book.parameters, "added the heads once more"),
        Distractor(book.main_parameters - book.parameters, "took the heads away twice"),
        Distractor(2 * book.main_parameters, "doubled, as from MACs to FLOPs"),
    )
    return QuestionDraft(
        f"In training the network has {whole:,} parameters, {book.parameters:,} of them in its auxiliary heads. How "
        "many work at inference?",
        book.main_parameters,
        "parameters",
        f"{whole:,} − {book.parameters:,}",
        "The heads help in training only and are taken off afterwards.",
        ("network", "parameters"),
        slips,
    )


def pooled_side(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the height after a max pool between two stages."""
    rows = [row for row in summary.rows if row.kind == "max_pool" and row.branch is None]
    row = rng.choice(rows)
    side, out, (k, _), stride, pad = row.in_shape[1], row.out_shape[1], row.kernel, row.stride, row.padding
    up = (side + 2 * pad - k) % stride != 0 and out > conv_size(side, k, stride, pad)
    rounding = "rounding up" if up else "rounding down" if (side + 2 * pad - k) % stride else "no rounding needed"
    slips = (
        Distractor(conv_size(side, k, stride, pad), "rounded down"),
        Distractor(-((k - side - 2 * pad) // stride) + 1, "rounded up"),
        Distractor(side - k + 1, "forgot the stride"),
        Distractor(out - 1, "forgot the + 1"),
        Distractor(out + 1, "counted a window too many"),
        Distractor(side // k, "divided by the kernel instead of the stride"),
        Distractor(side, "left the size as it was"),
    )
    rest = (out - 1) * stride
    return QuestionDraft(
        f"{row.path}: a {k}×{k} max pool, stride {stride}, padding {pad}, {rounding}, on a picture {side} pixels high. "
        "How high is the output?",
        out,
        "pixels",
        f"{rest} ÷ {stride} + 1",
        f"(n + 2p − k) ÷ s + 1 with n = {side}: the windows start up to {rest} pixels apart, {stride} at a time.",
        (row.path, "height"),
        slips,
    )


def widened_field(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask for the receptive field after a convolution, given the one before it."""
    row = any_conv(summary, rng, larger=True)
    if row is None:
        return None
    k, jump, after = row.kernel[0], row.jump, row.receptive_field
    before = after - (k - 1) * jump
    slips = (
        Distractor(before + k * jump, "added k instead of k − 1"),
        Distractor(before + k - 1, "forgot that positions are more than a pixel apart"),
        Distractor(before + k, "added the kernel in pixels"),
        Distractor(before * k, "multiplied by the kernel"),
        Distractor(before + 2 * (k - 1) * jump, "counted both sides of the kernel twice"),
        Distractor(before, "left it as it was"),
    )
    return QuestionDraft(
        f"Before {named(row)} a position sees {before} pixels, and neighbours are {jump} pixels apart. How many pixels "
        "does it see afterwards?",
        after,
        "pixels",
        f"{before} + ({k} − 1) · {jump}",
        "A kernel reaches k − 1 neighbours further, each a jump apart: r + (k − 1) · j.",
        (row.path, "receptive_field"),
        slips,
    )


def module_jump(summary: NetworkSummary, rng: Random) -> QuestionDraft | None:
    """Ask how far apart neighbouring positions of a module lie in the image."""
    module = rng.choice(summary.config.modules)
    row = summary.concat(module.name)
    strides = [
        r.stride
        for r in summary.rows[: summary.rows.index(row)]
        if r.aux is None and r.branch is None and r.kind in ("conv", "max_pool") and r.stride > 1
    ]
    slips = (
        Distractor(sum(strides), "added the strides: they multiply"),
        Distractor(row.jump // 2, "missed one pool"),
        Distractor(2 * row.jump, "counted one pool too many"),
        Distractor(len(strides), "counted the layers"),
        Distractor(row.receptive_field, "gave the receptive field"),
        Distractor(row.out_shape[1], "gave the picture's height"),
    )
    return QuestionDraft(
        f"On the way to {module.name} the image passes layers with strides {', '.join(map(str, strides))}. How many "
        "pixels of the image lie between two neighbouring positions there?",
        row.jump,
        "pixels",
        times(*strides),
        "Each stride multiplies the distance.",
        (row.path, "jump"),
        slips,
    )
