"""Controls of the network outside its table. An invalid value is explained under the control that it came from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from explorer.analysis import problems
from explorer.config import HEADINGS, GoogLeNetConfig
from explorer.diff import with_module
from explorer.errors import Problem
from explorer.ui import state
from explorer.ui.components.field import field_container
from explorer.ui.components.number import number_input
from explorer.ui.state import Width
from explorer.views.labels import AUX_POOLS, KERNELS, NORMALISATIONS, POOLINGS, STEMS

Write = Callable[[GoogLeNetConfig, Any], GoogLeNetConfig]  # returns the config with a changed value
MORE = "more_settings"
_BLANK_FIELDS = ("ch3x3_reduce", "ch5x5_reduce", "pool_proj")  # of which blank means: no 1×1 convolution here
_WIDTH = 140  # pixels of a rare control; those with long texts get twice as many


def show_settings(first: Callable[[], None]) -> None:
    """Show all settings in an expander: opened, it lies below the table and covers none of it.

    ``first`` draws what stands at its top. Nothing of it is drawn while it is closed.
    """
    expander = st.expander("More settings", icon=":material/tune:", on_change="rerun", key=MORE)
    if expander.open:
        config = state.current().config
        with expander:
            with st.container(horizontal=True, vertical_alignment="bottom", key="settings"):
                first()
                _common(config)
            for title, controls in (
                ("Stem", _stem),
                ("Auxiliary heads", _heads),
                ("Convolutions and classifier", _rest),
            ):
                st.markdown(f"**{title}**")
                with st.container(horizontal=True, vertical_alignment="bottom"):
                    controls(config)


def _common(config: GoogLeNetConfig) -> None:
    _input_size("Height", 1, config)
    _input_size("Width", 2, config)
    network_number("Classes", "classes", config.classes, lambda c, v: c.replace(classes=v), width=110)
    _choice("5×5 branch", "kernel_5x5", KERNELS, config.kernel_5x5, width=170)
    _choice("Normalisation", "normalisation", NORMALISATIONS, config.normalisation, width=150)
    _choice("Pooling", "pooling", POOLINGS, config.pooling, width=250)


def _stem(config: GoogLeNetConfig) -> None:
    _input_size("Input channels", 0, config, _WIDTH)
    _choice("Layers", "stem_kind", STEMS, config.stem.kind, _write_part("stem", "kind"), 2 * _WIDTH)
    for field, label in (("conv1", "conv1"), ("conv2_reduce", "conv2 reduce"), ("conv2", "conv2")):
        network_number(label, f"stem_{field}", getattr(config.stem, field), _write_part("stem", field), width=_WIDTH)


def _heads(config: GoogLeNetConfig) -> None:
    aux = config.aux
    _several("On modules", "aux_taps", [module.name for module in config.modules], aux.taps, 2 * _WIDTH)
    _choice("Average pool", "aux_pool", AUX_POOLS, aux.pool, _write_part("aux", "pool"), 2 * _WIDTH)
    for field, label in (("conv", "1×1 kernels"), ("hidden", "Hidden units")):
        network_number(label, f"aux_{field}", getattr(aux, field), _write_part("aux", field), width=_WIDTH)
    for field, label in (("dropout", "Dropout"), ("loss_weight", "Loss weight")):
        write = _write_part("aux", field)
        network_number(label, f"aux_{field}", getattr(aux, field), write, whole=False, width=_WIDTH)


def _rest(config: GoogLeNetConfig) -> None:
    network_number(
        "Dropout at the end",
        "dropout",
        config.dropout,
        lambda c, v: c.replace(dropout=v),
        whole=False,
        width=_WIDTH,
    )
    _switch("Biases in convolutions", "conv_bias", config.conv_bias)


def _write_part(part: str, field: str) -> Write:
    return lambda config, value: config.replace(**{part: getattr(config, part).replace(**{field: value})})


def _input_size(label: str, axis: int, config: GoogLeNetConfig, width: int = 110) -> None:
    def write(config: GoogLeNetConfig, value: Any) -> GoogLeNetConfig:
        shape = list(config.input_shape)
        shape[axis] = value
        return config.replace(input_shape=tuple(shape))

    network_number(label, f"input_{axis}", config.input_shape[axis], write, width=width)


def network_number(
    label: str,
    key: str,
    value: float | None,
    write: Write,
    *,
    whole: bool = True,
    blank: bool = False,
    width: Width = "stretch",
) -> None:
    """Show a number of the current network, ``whole`` or a fraction."""
    number_input(
        label,
        key,
        value,
        lambda new: _commit(label, key, write, new),
        whole=whole,
        blank=blank,
        of_network=True,
        width=width,
    )


def module_numbers(config: GoogLeNetConfig, name: str, width: Width = "stretch") -> None:
    """Show the six numbers of a module as fields; editing one is the same edit as in the table."""
    module = config.module(name)
    for field, heading in HEADINGS.items():
        write = _write_cell(name, field)
        blank = field in _BLANK_FIELDS
        network_number(heading, f"cell_{name}_{field}", getattr(module, field), write, blank=blank, width=width)


def _write_cell(name: str, field: str) -> Write:
    return lambda config, value: with_module(config, config.module(name).replace(**{field: value}))


def _choice(
    label: str,
    key: str,
    options: Mapping[str, str],
    value: str,
    write: Write | None = None,
    width: Width = "stretch",
) -> None:
    _show_value(key, value)
    with field_container(key, width):
        st.selectbox(
            label,
            list(options),
            key=key,
            format_func=options.__getitem__,
            on_change=_changed,
            args=(label, key, write or (lambda config, value: config.replace(**{key: value}))),
        )


def _several(label: str, key: str, options: Sequence[str], value: Sequence[str], width: int) -> None:
    def write(config: GoogLeNetConfig, taps: Any) -> GoogLeNetConfig:
        ordered = tuple(module.name for module in config.modules if module.name in taps)
        return config.replace(aux=config.aux.replace(taps=ordered))

    _show_value(key, [name for name in value if name in options])
    with field_container(key, width):
        st.multiselect(label, options, key=key, on_change=_changed, args=(label, key, write), placeholder="none")


def _switch(label: str, key: str, value: bool) -> None:
    _show_value(key, value)
    st.toggle(label, key=key, on_change=_changed, args=(label, key, lambda c, v: c.replace(**{key: v})))


def _show_value(key: str, value: Any) -> None:
    """Let the control show the network's value, or the rejected one while its message is below it."""
    rejected = state.rejected_input(key)
    st.session_state[key] = rejected.value if rejected else value


def _changed(label: str, key: str, write: Write) -> None:
    value = st.session_state[key]
    if found := _commit(label, key, write, value):
        state.reject_input(key, value, found, of_network=True)
    else:
        state.clear_rejected_input(key)


def _commit(label: str, key: str, write: Write, value: Any) -> tuple[Problem, ...]:
    """Make the network with the changed value the current one, or return why it cannot be built."""
    try:
        config = write(state.current().config, value)
    except ValidationError:
        return (Problem("settings", key, f"{label}: “{str(value)[:20]}” is not valid here. Choose from the list."),)
    found = problems(config)
    if not found:
        state.commit(config)
    return found
