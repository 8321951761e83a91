"""Controls for everything that is no cell of the table. A bad value is explained under the control it came from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from explorer.analysis import problems
from explorer.config import GoogLeNetConfig, Problem
from explorer.ui import messages, state
from explorer.views.labels import AUX_POOLS, KERNELS, NORMALISATIONS, POOLINGS, STEMS

Write = Callable[[GoogLeNetConfig, Any], GoogLeNetConfig]
MORE = "more_settings"
_WIDTH = 140  # pixels of a rare control; those with long texts take two
_MAX_SHOWN = 2**53 - 1  # the largest whole number a browser holds exactly


def common_settings() -> None:
    """Show the input, the classes and the structural switches."""
    config = state.current().config
    _side("Height", 1, config)
    _side("Width", 2, config)
    whole_number("Classes", "classes", config.classes, lambda c, v: c.replace(classes=v), width=110)
    _choice("5×5 branch", "kernel_5x5", KERNELS, config.kernel_5x5, width=170)
    _choice("Normalisation", "normalisation", NORMALISATIONS, config.normalisation, width=150)
    _choice("Pooling", "pooling", POOLINGS, config.pooling, width=250)


def rare_settings() -> None:
    """Show what is seldom changed, folded away: opened, it stands below the table and covers none of it."""
    fold = st.expander("More settings", icon=":material/tune:", on_change="rerun", key=MORE)
    if fold.open:
        config = state.current().config
        with fold:
            for title, controls in (
                ("Stem", _stem),
                ("Auxiliary heads", _heads),
                ("Convolutions and classifier", _rest),
            ):
                st.markdown(f"**{title}**")
                with st.container(horizontal=True, vertical_alignment="bottom"):
                    controls(config)


def _stem(config: GoogLeNetConfig) -> None:
    _side("Input channels", 0, config, _WIDTH)
    _choice("Layers", "stem_kind", STEMS, config.stem.kind, _part("stem", "kind"), 2 * _WIDTH)
    for field, label in (("conv1", "conv1"), ("conv2_reduce", "conv2 reduce"), ("conv2", "conv2")):
        whole_number(label, f"stem_{field}", getattr(config.stem, field), _part("stem", field), _WIDTH)


def _heads(config: GoogLeNetConfig) -> None:
    aux = config.aux
    _several("On modules", "aux_taps", [module.name for module in config.modules], aux.taps, 2 * _WIDTH)
    _choice("Average pool", "aux_pool", AUX_POOLS, aux.pool, _part("aux", "pool"), 2 * _WIDTH)
    for field, label in (("conv", "1×1 filters"), ("hidden", "Hidden units")):
        whole_number(label, f"aux_{field}", getattr(aux, field), _part("aux", field), _WIDTH)
    for field, label in (("dropout", "Dropout"), ("loss_weight", "Loss weight")):
        _share(label, f"aux_{field}", getattr(aux, field), _part("aux", field), _WIDTH)


def _rest(config: GoogLeNetConfig) -> None:
    _share("Dropout at the end", "dropout", config.dropout, lambda c, v: c.replace(dropout=v), _WIDTH)
    _switch("Biases in convolutions", "conv_bias", config.conv_bias)


def _part(part: str, field: str) -> Write:
    return lambda config, value: config.replace(**{part: getattr(config, part).replace(**{field: value})})


def _side(label: str, axis: int, config: GoogLeNetConfig, width: int = 110) -> None:
    def write(config: GoogLeNetConfig, value: Any) -> GoogLeNetConfig:
        shape = list(config.input_shape)
        shape[axis] = value
        return config.replace(input_shape=tuple(shape))

    whole_number(label, f"input_{axis}", config.input_shape[axis], write, width)


def whole_number(label: str, key: str, value: int | None, write: Write, width: int | str = "stretch") -> None:
    """Show a whole number of the network; ``write`` gives the config in which it is changed."""
    _seed(key, value)
    st.number_input(label, key=key, step=1, value=None, on_change=_changed, args=(label, key, write), width=width)
    _explain(key)


def _share(label: str, key: str, value: float, write: Write, width: int) -> None:
    _seed(key, value)
    st.number_input(label, key=key, step=0.1, value=None, on_change=_changed, args=(label, key, write), width=width)
    _explain(key)


def _choice(
    label: str,
    key: str,
    options: Mapping[str, str],
    value: str,
    write: Write | None = None,
    width: int | str = "stretch",
) -> None:
    write = write or (lambda config, chosen: config.replace(**{key: chosen}))
    _seed(key, value)
    st.selectbox(
        label,
        list(options),
        key=key,
        format_func=options.get,
        on_change=_changed,
        args=(label, key, write),
        width=width,
    )
    _explain(key)


def _several(label: str, key: str, options: Sequence[str], value: Sequence[str], width: int) -> None:
    def write(config: GoogLeNetConfig, taps: Any) -> GoogLeNetConfig:
        ordered = tuple(module.name for module in config.modules if module.name in taps)
        return config.replace(aux=config.aux.replace(taps=ordered))

    _seed(key, [name for name in value if name in options])
    st.multiselect(
        label, options, key=key, on_change=_changed, args=(label, key, write), placeholder="none", width=width
    )
    _explain(key)


def _switch(label: str, key: str, value: bool) -> None:
    _seed(key, value)
    st.toggle(label, key=key, on_change=_changed, args=(label, key, lambda c, v: c.replace(**{key: v})))


def _seed(key: str, value: Any) -> None:
    """Let the control show the network's value, or the refused one while its message stands under it."""
    held = state.refused(key)
    if held and not (isinstance(held[0], int) and abs(held[0]) > _MAX_SHOWN):
        value = held[0]
    st.session_state[key] = value


def _changed(label: str, key: str, write: Write) -> None:
    value = st.session_state[key]
    try:
        config = write(state.current().config, value)
        found = problems(config)
    except ValidationError:
        shown = "blank" if value is None else f"“{str(value)[:20]}”"
        found = (
            Problem("settings", key, f"{label}: {shown} does not fit here. Give a number or choose from the list."),
        )
    if found:
        state.refuse(key, value, found)
    else:
        state.accept()
        state.commit(config)


def _explain(key: str) -> None:
    held = state.refused(key)
    if held:
        messages.show_problems(held[1][:3])
