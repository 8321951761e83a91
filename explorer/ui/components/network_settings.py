"""Controls of the network outside its table. An invalid value is explained under the control that it came from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st
from pydantic import ValidationError

from explorer.analysis import problems
from explorer.config import GoogLeNetConfig
from explorer.errors import Problem
from explorer.ui import messages, state
from explorer.ui.components.number import number_input, row_alignment
from explorer.views.labels import AUX_POOLS, KERNELS, NORMALISATIONS, POOLINGS, STEMS

Write = Callable[[GoogLeNetConfig, Any], GoogLeNetConfig]  # returns the config with a changed value
Width = int | Literal["stretch"]
MORE = "more_settings"
_WIDTH = 140  # pixels of a rare control; those with long texts get twice as many


def common_settings() -> None:
    """Show the input, the classes and the structural switches."""
    config = state.current().config
    _input_size("Height", 1, config)
    _input_size("Width", 2, config)
    network_number("Classes", "classes", config.classes, lambda c, v: c.replace(classes=v), width=110)
    _choice("5×5 branch", "kernel_5x5", KERNELS, config.kernel_5x5, width=170)
    _choice("Normalisation", "normalisation", NORMALISATIONS, config.normalisation, width=150)
    _choice("Pooling", "pooling", POOLINGS, config.pooling, width=250)


def rare_settings() -> None:
    """Show the rare settings in an expander: opened, it lies below the table and covers none of it."""
    expander = st.expander("More settings", icon=":material/tune:", on_change="rerun", key=MORE)
    if expander.open:
        config = state.current().config
        with expander:
            for title, controls in (
                ("Stem", _stem),
                ("Auxiliary heads", _heads),
                ("Convolutions and classifier", _rest),
            ):
                st.markdown(f"**{title}**")
                with st.container(horizontal=True, vertical_alignment=row_alignment()):
                    controls(config)


def _stem(config: GoogLeNetConfig) -> None:
    _input_size("Input channels", 0, config, _WIDTH)
    _choice("Layers", "stem_kind", STEMS, config.stem.kind, _write_part("stem", "kind"), 2 * _WIDTH)
    for field, label in (("conv1", "conv1"), ("conv2_reduce", "conv2 reduce"), ("conv2", "conv2")):
        network_number(label, f"stem_{field}", getattr(config.stem, field), _write_part("stem", field), width=_WIDTH)


def _heads(config: GoogLeNetConfig) -> None:
    aux = config.aux
    _several("On modules", "aux_taps", [module.name for module in config.modules], aux.taps, 2 * _WIDTH)
    _choice("Average pool", "aux_pool", AUX_POOLS, aux.pool, _write_part("aux", "pool"), 2 * _WIDTH)
    for field, label in (("conv", "1×1 filters"), ("hidden", "Hidden units")):
        network_number(label, f"aux_{field}", getattr(aux, field), _write_part("aux", field), width=_WIDTH)
    for field, label in (("dropout", "Dropout"), ("loss_weight", "Loss weight")):
        write = _write_part("aux", field)
        network_number(label, f"aux_{field}", getattr(aux, field), write, step=0.1, width=_WIDTH)


def _rest(config: GoogLeNetConfig) -> None:
    network_number(
        "Dropout at the end", "dropout", config.dropout, lambda c, v: c.replace(dropout=v), step=0.1, width=_WIDTH
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
    step: float = 1,
    blank: bool = False,
    width: Width = "stretch",
) -> None:
    """Show a number of the current network; as a whole number if ``step`` is one."""
    number_input(label, key, value, lambda new: _commit(label, key, write, new), step=step, blank=blank, width=width)


def _choice(
    label: str,
    key: str,
    options: Mapping[str, str],
    value: str,
    write: Write | None = None,
    width: Width = "stretch",
) -> None:
    _show_value(key, value)
    st.selectbox(
        label,
        list(options),
        key=key,
        format_func=options.__getitem__,
        on_change=_changed,
        args=(label, key, write or (lambda config, value: config.replace(**{key: value}))),
        width=width,
    )
    messages.show_problems(state.rejection(key))


def _several(label: str, key: str, options: Sequence[str], value: Sequence[str], width: int) -> None:
    def write(config: GoogLeNetConfig, taps: Any) -> GoogLeNetConfig:
        ordered = tuple(module.name for module in config.modules if module.name in taps)
        return config.replace(aux=config.aux.replace(taps=ordered))

    _show_value(key, [name for name in value if name in options])
    st.multiselect(
        label, options, key=key, on_change=_changed, args=(label, key, write), placeholder="none", width=width
    )
    messages.show_problems(state.rejection(key))


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
        state.reject_input(key, value, found)
    else:
        state.clear_rejected_input()


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
