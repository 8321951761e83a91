"""The shelf: keep the current network with one click; open, rename, copy, order and delete saved variants."""

from collections.abc import Callable

import streamlit as st

from explorer.analysis import summarize
from explorer.comparison import NetworkTotals
from explorer.config import GoogLeNetConfig
from explorer.presets import CATALOGUE, PRESETS
from explorer.share import shelf_to_json
from explorer.shelf import CURRENT, MAX_NOTE, Shelf
from explorer.ui import messages, state
from explorer.ui.components.chart import show_figure
from explorer.ui.components.keep import VARIANT_KEY, change_shelf
from explorer.ui.components.theme import theme
from explorer.ui.components.variants import accuracy_text, measured_results, title
from explorer.views import comparison_tables, variant_figures
from explorer.views import formatting as fmt
from explorer.views.variant_figures import Point

_NAME, _NOTE = "shelf_name", "shelf_note"


def show_shelf(names: tuple[str, ...]) -> None:
    """Show all networks as points of a chart, and the controls of the saved ones."""
    _scatter(names)
    if state.shelf().variants:
        _manage()
    else:
        st.info(
            "The shelf is empty. **Keep**, at the top of every page, puts the current network here. Edit it, keep that "
            "too, and compare them.",
            icon=":material/star_outline:",
        )
    if not state.is_shelf_in_url():
        _offer_file()
    if state.shelf().past:
        st.button("Undo on the shelf", icon=":material/undo:", on_click=_undo, key="shelf_undo")


def _offer_file() -> None:
    """Warn that a reload loses this shelf, and offer it as a file."""
    variants = state.shelf().variants
    with st.container(horizontal=True, vertical_alignment="center", key="shelf_too_long"):
        st.warning(
            f"The address cannot hold these {len(variants)} variants: they exist in this session only, and a reload or "
            "a link loses them. Save them as a file; Share, Open a network or a shelf restores them.",
            icon=":material/save:",
        )
        st.download_button(
            "Save the shelf",
            lambda: shelf_to_json(variants),
            "shelf.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            key="shelf_save",
        )


def _scatter(names: tuple[str, ...]) -> None:

    few = len(state.shelf().names) < 2
    with_presets = st.toggle("Show the presets", value=few, key="shelf_presets", persist_state="session")
    saved = {variant.version for variant in state.shelf().variants}
    current = () if state.current() in saved else (CURRENT,)
    all_names = dict.fromkeys((*names, *current, *state.shelf().names, *(PRESETS if with_presets else ())))
    points = [_point(name, state.version_named(name).config, names) for name in all_names]
    show_figure(variant_figures.scatter(points, theme()), "shelf_scatter")
    missing = "" if variant_figures.most_measured(points) else " No run here has measured it yet."
    st.caption(
        "Parameters against MACs alone rank nothing: a smaller network is the better one only if its accuracy is as "
        f"high.{missing} Reading this chart: networks further left have fewer parameters, further down fewer MACs; "
        "larger marks have more activations. The dotted line is the Pareto front: for each network above and to the "
        "right of it, a network at one of its corners has fewer of both."
    )


def _point(name: str, config: GoogLeNetConfig, names: tuple[str, ...]) -> Point:
    """Return a network as a point of the chart, with what is known of it."""
    return Point(
        "current" if name == CURRENT else title(name),
        NetworkTotals.of(summarize(config)),
        comparison_tables.LETTERS[names.index(name)] if name in names else "",
        name not in PRESETS,
        comparison_tables.time_text(state.latencies_ms(config)),
        accuracy_text(config),
        measured_results(config),
    )


def _manage() -> None:
    shelf = state.shelf()
    if st.session_state.get(VARIANT_KEY) not in shelf.names:
        st.session_state[VARIANT_KEY] = shelf.names[-1]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Variant", shelf.names, key=VARIANT_KEY, width=260)
        variant = shelf.get(st.session_state[VARIANT_KEY])
        index = shelf.variants.index(variant)
        _button(
            "Open",
            "open_in_new",
            lambda: state.set_current(variant.version),
            "Makes it the current network. Can be undone.",
        )
        _button("Copy", "content_copy", _step(lambda s: s.duplicate(variant.name)))
        _button("Up", "arrow_upward", _step(lambda s: s.move(variant.name, -1)), disabled=index == 0)
        _button(
            "Down",
            "arrow_downward",
            _step(lambda s: s.move(variant.name, 1)),
            disabled=index == len(shelf.names) - 1,
        )
        _button("Delete", "delete", _step(lambda s: s.delete(variant.name)), "Undo on the shelf restores it.")
    summary = summarize(variant.version.config)
    st.caption(
        f"{index + 1} of {len(shelf.names)} · {fmt.exact(summary.parameters(aux=False))} parameters · "
        f"{fmt.short(summary.macs())} MACs · from {CATALOGUE[variant.version.base].title}"
    )
    with st.container(horizontal=True, vertical_alignment="top"):
        _text("Name", _NAME, variant.name, 32, lambda s, v: s.rename(variant.name, v), 260)
        _text("Note", _NOTE, variant.note, MAX_NOTE, lambda s, v: s.set_note(variant.name, v), 420)


def _button(label: str, icon: str, action: Callable[[], None], help: str | None = None, disabled: bool = False) -> None:
    key = f"shelf_{label.lower()}"
    st.button(label, icon=f":material/{icon}:", on_click=action, key=key, help=help, disabled=disabled)


def _text(label: str, key: str, value: str, max_chars: int, change: Callable[[Shelf, str], Shelf], width: int) -> None:
    """Show a text of the selected variant; an invalid one is explained below it."""
    rejected = state.rejected_input(key)
    st.session_state[key] = rejected.value if rejected else value

    def changed() -> None:
        old, new, names = st.session_state[VARIANT_KEY], st.session_state[key], state.compared_names()
        if change_shelf(lambda shelf: change(shelf, new), key, new) and key == _NAME:
            renamed = new.strip()
            st.session_state[VARIANT_KEY] = renamed
            state.set_compared_names(tuple(renamed if name == old else name for name in names))

    with st.container(width=width):
        st.text_input(label, key=key, max_chars=max_chars, on_change=changed)
        messages.show_problems(state.rejection(key))


def _undo() -> None:
    state.clear_rejected_input()
    state.set_shelf(state.shelf().undo())


def _step(step: Callable[[Shelf], Shelf]) -> Callable[[], None]:
    """Return a callback that changes the shelf."""

    def callback() -> None:
        change_shelf(step)

    return callback
