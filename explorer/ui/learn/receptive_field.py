"""The live parts of the lesson on receptive fields and input sizes."""

from functools import partial

import streamlit as st

from explorer.analysis import NetworkSummary, problems, summarize
from explorer.config import BRANCHES, MAX_SIDE, POOL_RULES
from explorer.lessons import resolution
from explorer.lessons.receptive_field import FieldDistribution, field_distributions, without_branch
from explorer.lessons.sliding_window import LAYERS, MAX_KERNEL, MAX_PADDING, MAX_SIZE, MAX_STRIDE, SlidingWindow
from explorer.ui import messages, state
from explorer.ui.components.chart import show_chart
from explorer.ui.components.number import in_range, number_input
from explorer.ui.lab.look_inside.widgets import position_maps
from explorer.ui.learn import quiz
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import let_browser_draw
from explorer.views import field_charts as charts
from explorer.views import formatting as fmt
from explorer.views import sliding_window as window_charts
from explorer.views.heroes import receptive_field as field_growth
from explorer.views.heroes.timeline import Hero
from explorer.views.labels import BRANCH_NAMES

_LAYER_NAME = "layer_name"
_LAYER_CONTROLS = (
    ("size", "Input size n", 1, MAX_SIZE),
    ("kernel", "Kernel k", 1, MAX_KERNEL),
    ("stride", "Stride s", 1, MAX_STRIDE),
    ("padding", "Padding p", 0, MAX_PADDING),
)
_LAYER_KEYS = {name: f"layer_{name}" for name in SlidingWindow._fields}
_LAYER_POSITION = SessionValue("layer_position", (0, 0))  # row and column of the output
_MODULE, _APPLY = "field_module", "input_size_apply"
_SIZE = SessionValue[tuple[int, int] | None]("input_size", None)  # height and width in pixels


def hero(is_open: bool) -> Hero:
    """Return the receptive field of the current network, block by block; that of the last module if ``is_open``."""
    return field_growth.growth(_summary(), shows_last=is_open)


def predict() -> None:
    """Ask how large the receptive field of the last module is."""
    quiz.predict("receptive_field")


def one_layer() -> None:
    """Let the reader choose a layer's kernel, stride and padding, and slide its window over the input."""
    layer = _layer_controls()
    st.markdown(f"`{window_charts.formula(layer)}`  \n{window_charts.verdict(layer)}")
    row, column = (min(place, max(layer.out - 1, 0)) for place in _LAYER_POSITION.get())
    position_maps(
        window_charts.grids(layer, (row, column)),
        key="layer_grids",
        status=window_charts.words(layer, (row, column)),
        on_move=lambda *position: _LAYER_POSITION.set(position),
    )
    st.caption(f"Reading this chart: {window_charts.reading(layer)}")


def _layer_controls() -> SlidingWindow:
    """Show the controls of the layer; a layer of GoogLeNet sets them all."""
    for name, key in _LAYER_KEYS.items():
        st.session_state.setdefault(key, getattr(LAYERS["3×3"], name))
    chosen = SlidingWindow(**{name: st.session_state[key] for name, key in _LAYER_KEYS.items()})
    st.session_state[_LAYER_NAME] = next((name for name, layer in LAYERS.items() if layer == chosen), None)
    st.pills("A layer of GoogLeNet", list(LAYERS), key=_LAYER_NAME, on_change=_use_layer)
    with st.container(horizontal=True, key="layer_controls"):
        for name, label, low, high in _LAYER_CONTROLS:
            st.slider(label, low, high, key=_LAYER_KEYS[name], width=150)
    st.toggle("Round up, as pooling in Caffe", key=_LAYER_KEYS["round_up"])
    return chosen


def _use_layer() -> None:
    if layer := LAYERS.get(st.session_state[_LAYER_NAME]):
        for name, key in _LAYER_KEYS.items():
            st.session_state[key] = getattr(layer, name)


def _summary() -> NetworkSummary:
    return summarize(state.current().config)


def _selected(found: tuple[FieldDistribution, ...]) -> FieldDistribution:
    """Return the selected module's spectrum; the last module's if the selected one no longer exists."""
    names = [spectrum.module for spectrum in found]
    selected = st.session_state.get(_MODULE)
    return found[names.index(selected) if selected in names else -1]


def spectrum() -> None:
    """Show the fields after every module, and let the reader select one; the chart leaves before the control."""
    summary = _summary()
    found = field_distributions(summary)
    st.session_state[_MODULE] = _selected(found).module
    above = st.container()
    show_chart(
        partial(charts.distribution_rows, found, st.session_state[_MODULE], max(summary.config.input_shape[1:])),
        "each tick is a field in pixels that some path has; the taller it is, the more paths have it.",
        "spectrum",
        [
            {"module": one.module, "field_px": field, "ways": count}
            for one in found
            for field, count in one.path_counts.items()
        ],
    )
    let_browser_draw()
    above.segmented_control("Module", [one.module for one in found], key=_MODULE, required=True)


def on_image() -> None:
    """Draw the fields of one position of the selected module on the sample image."""
    found = _selected(field_distributions(_summary()))
    rows, columns = found.positions
    with st.container(horizontal=True):
        row = _position("Row", "field_row", rows, found.module)
        column = _position("Column", "field_column", columns, found.module)
    show_chart(
        partial(charts.field_on_image, found, _summary().config.input_shape[1:], (row, column)),
        f"{found.module} has {fmt.size(found.positions)} positions, {found.jump} pixels apart. The area outside the "
        "image is padding and holds no information.",
        "field_windows",
        [{"field_px": field, "ways": count} for field, count in found.path_counts.items()],
    )


def _position(label: str, key: str, count: int, module: str) -> int:
    if count < 2:
        return 0
    return st.slider(label, 0, count - 1, count // 2, key=f"{key}_{module}_{count}", width=260)


def show_without_branch() -> None:
    """Remove one branch from every module and compare the spectrum of the selected one."""
    config = state.current().config
    now = _selected(field_distributions(_summary()))
    branch = st.segmented_control(
        "Remove from every module", BRANCHES, default="5x5", key="field_without", format_func=BRANCH_NAMES.__getitem__
    )
    other = None
    if branch in BRANCHES:
        reduced = without_branch(config, branch)
        other = next(one for one in field_distributions(summarize(reduced)) if one.module == now.module)
        if reduced == config:
            st.caption("Every module of this network needs that branch, or none has it.")
    show_chart(
        partial(
            charts.distribution_columns,
            now,
            other,
            ("this network", f"without the {BRANCH_NAMES[branch]} branches" if branch else ""),
        ),
        "the fraction of the paths through the branches that has each field, each path counted once.",
        "field_without",
        [{"field_px": field, "ways": count} for field, count in now.path_counts.items()],
    )


def input_size() -> None:
    """Show the size of the feature maps for an input of any size under every pooling rule."""
    config = state.current().config
    height, width = _input_size()
    limit = fmt.exact(MAX_SIDE)
    height_problem, width_problem = (f"{side}: enter a whole number from 1 to {limit}." for side in ("Height", "Width"))
    set_height = in_range(1, MAX_SIDE, height_problem, lambda value: _SIZE.set((value, width)))
    set_width = in_range(1, MAX_SIDE, width_problem, lambda value: _SIZE.set((height, value)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number_input("Height", "input_size_height", height, set_height, width=150)
        number_input("Width", "input_size_width", width, set_width, width=150)
        st.button("Apply to the network", icon=":material/upload:", key=_APPLY, on_click=_apply)
    messages.show_problems(state.rejection(_APPLY))
    st.markdown(charts.pooling_table(resolution.size_traces(config, height, width), config.pooling))
    st.caption(
        f"Height × width after each layer that changes it. The network's own rule: {POOL_RULES[config.pooling].title}. "
        "Sizes on which the rules disagree are bold."
    )
    found = resolution.summary_or_problem(config, height, width)
    if isinstance(found, str):
        st.warning(f"At {height}×{width} this network cannot be built. {found}", icon=":material/block:")
    else:
        st.success(
            f"At {height}×{width} this network takes {fmt.short(found.macs())} MACs and has "
            f"{fmt.exact(found.parameters())} parameters in training.",
            icon=":material/check:",
        )


def _input_size() -> tuple[int, int]:
    _, height, width = state.current().config.input_shape
    return _SIZE.get() or (height, width)


def _apply() -> None:
    changed = resolution.at_side(state.current().config, *_input_size())
    if found := problems(changed):
        state.reject_input(_APPLY, None, found)
        return
    state.clear_rejected_input(_APPLY)
    state.commit(changed)


def limits() -> None:
    """Show the smallest inputs, with the network's stem and with the small one."""
    config = state.current().config
    small = config.replace(stem=config.stem.replace(kind="small"))
    left, right = st.columns(2)
    title = "7×7/2 stem, divides by 8" if config.stem.kind == "paper" else "small stem, divides by 2"
    left.markdown(f"**This network** ({title})\n" + charts.limits_text(resolution.minimum_inputs(config)))
    if config.stem.kind == "paper":
        right.markdown("**With a small stem, divides by 2**\n" + charts.limits_text(resolution.minimum_inputs(small)))
    st.caption("Smallest square inputs in pixels, under the network's own pooling rule and auxiliary pool.")
