"""The shelf: keep the network on the bench with one click; open, rename, copy, order and delete what was kept."""

from collections.abc import Callable

import streamlit as st

from explorer.comparison import NetworkTotals
from explorer.config import GoogLeNetConfig, Problem
from explorer.history import Version
from explorer.presets import CATALOGUE, PRESETS
from explorer.share import shelf_to_json
from explorer.shelf import CURRENT, MAX_NOTE, Shelf, ShelfError, suggested_name
from explorer.ui import cache, messages, state
from explorer.ui.components.variants import accuracy, theme, title
from explorer.views import comparison_tables, variant_figures
from explorer.views import formatting as fmt
from explorer.views.variant_figures import Point

_WHICH, _NAME, _NOTE = "shelf_which", "shelf_name", "shelf_note"


def keep_button() -> None:
    """Offer to keep the network on the bench; a filled star says that it is kept already."""
    kept = next((v.name for v in state.shelf().variants if v.version == state.current()), None)
    st.button(
        "Kept" if kept else "Keep",
        icon=":material/star:" if kept else ":material/star_outline:",
        on_click=keep,
        disabled=kept is not None,
        key="keep",
        help=f"On the shelf as {kept}." if kept else "Puts this network on the shelf of the Compare page.",
    )


def keep(version: Version | None = None, note: str = "") -> None:
    """Put a network, or the one on the bench, on the shelf under a free name that says what it is."""
    version = version or state.current()
    name = suggested_name(state.shelf(), version)
    if _step(lambda shelf: shelf.keep(name, version, note)):
        st.session_state[_WHICH] = name
        st.toast(f"Kept as {name}.", icon=":material/star:")


def show_shelf(names: tuple[str, ...]) -> None:
    """Show all networks as points, and what can be done with those that were kept."""
    _scatter(names)
    if state.shelf().variants:
        _manage()
    else:
        st.info(
            "The shelf is empty. **Keep**, at the top of every page, puts the network on the bench here. Edit on, keep "
            "that too, and compare them.",
            icon=":material/star_outline:",
        )
    if not state.shelf_in_link():
        _take_along()
    if state.shelf().past:
        st.button("Undo on the shelf", icon=":material/undo:", on_click=_undo, key="shelf_undo")


def _take_along() -> None:
    """Say that a reload loses this shelf, and offer it as a file."""
    variants = state.shelf().variants
    with st.container(horizontal=True, vertical_alignment="center", key="shelf_too_long"):
        st.warning(
            f"These {len(variants)} variants are too long for the address: they live in this session alone, and a "
            "reload or a link loses them. The file brings them back (Share, Open a network or a shelf).",
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
    with_presets = st.toggle("with the presets", value=few, key="shelf_presets", persist_state="session")
    kept = {variant.version for variant in state.shelf().variants}
    bench = () if state.current() in kept else (CURRENT,)
    every = dict.fromkeys((*names, *bench, *state.shelf().names, *(PRESETS if with_presets else ())))
    points = [_point(name, state.version_named(name).config, names) for name in every]
    st.plotly_chart(variant_figures.scatter(points, theme()), key="shelf_scatter")
    st.caption(
        "How to read this: further left has fewer parameters, further down fewer MACs, larger marks hold more "
        "activations. The dotted line is the Pareto front: whatever lies beyond it, to the right and up, is beaten in "
        "both by a network at one of its corners."
    )


def _point(name: str, config: GoogLeNetConfig, names: tuple[str, ...]) -> Point:
    """Return a network as a point of the scatter, with what is known of it."""
    return Point(
        "bench" if name == CURRENT else title(name),
        NetworkTotals.of(cache.summary(config)),
        comparison_tables.LETTERS[names.index(name)] if name in names else "",
        name not in PRESETS,
        comparison_tables.time_text(state.measured(config)),
        accuracy(config),
    )


def _manage() -> None:
    shelf = state.shelf()
    if st.session_state.get(_WHICH) not in shelf.names:
        st.session_state[_WHICH] = shelf.names[-1]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Variant", shelf.names, key=_WHICH, width=260)
        variant = shelf.get(st.session_state[_WHICH])
        place = shelf.variants.index(variant)
        _button(
            "Open", "open_in_new", lambda: state.make_current(variant.version), "Puts it on the bench. Undo leads back."
        )
        _button("Copy", "content_copy", lambda: _step(lambda s: s.duplicate(variant.name)))
        _button("Up", "arrow_upward", lambda: _step(lambda s: s.move(variant.name, -1)), off=place == 0)
        _button(
            "Down",
            "arrow_downward",
            lambda: _step(lambda s: s.move(variant.name, 1)),
            off=place == len(shelf.names) - 1,
        )
        _button(
            "Delete", "delete", lambda: _step(lambda s: s.delete(variant.name)), "Undo on the shelf brings it back."
        )
    summary = cache.summary(variant.version.config)
    st.caption(
        f"{place + 1} of {len(shelf.names)} · {fmt.exact(summary.parameters(aux=False))} parameters · "
        f"{fmt.short(summary.macs())} MACs · from {CATALOGUE[variant.version.base].title}"
    )
    with st.container(horizontal=True, vertical_alignment="top"):
        _text("Name", _NAME, variant.name, 32, lambda s, v: s.rename(variant.name, v), 260)
        _text("Note", _NOTE, variant.note, MAX_NOTE, lambda s, v: s.annotate(variant.name, v), 420)


def _button(label: str, icon: str, action: Callable[[], object], told: str = "", off: bool = False) -> None:
    st.button(
        label, icon=f":material/{icon}:", on_click=action, key=f"shelf_{label.lower()}", help=told or None, disabled=off
    )


def _text(label: str, key: str, value: str, most: int, change: Callable[[Shelf, str], Shelf], width: int) -> None:
    """A text of the chosen variant; a bad one is explained under it."""
    held = state.refused(key)
    st.session_state[key] = held[0] if held else value

    def changed() -> None:
        old, new, names = st.session_state[_WHICH], st.session_state[key], state.compared()
        if _step(lambda shelf: change(shelf, new), key, new) and key == _NAME:
            renamed = new.strip()
            st.session_state[_WHICH] = renamed
            state.compare(tuple(renamed if name == old else name for name in names))

    with st.container(width=width):
        st.text_input(label, key=key, max_chars=most, on_change=changed)
        messages.show_problems(held[1] if held else ())


def _undo() -> None:
    state.accept()
    state.set_shelf(state.shelf().undo())


def _step(step: Callable[[Shelf], Shelf], key: str = _WHICH, value: str = "") -> bool:
    """Take a step of the shelf, or say under the control ``key`` why not."""
    try:
        state.set_shelf(step(state.shelf()))
    except ShelfError as error:
        state.refuse(key, value, (Problem("shelf", key, str(error)),))
        st.toast(fmt.markdown(str(error)), icon=":material/block:")
        return False
    state.accept()
    return True
