"""Random networks round-trip through every export: link, file, generated source, metadata of a weights file."""

import json
import random
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.export.source import to_source
from explorer.history import Version
from explorer.live.model import build_model
from explorer.live.weights import from_metadata, to_metadata
from explorer.share import from_json, from_token, to_json, to_token
from tests.strategies import examples, networks

PAPER = PRESETS["paper"]
VERSIONS = st.builds(Version, st.sampled_from(list(PRESETS)), networks())


def state_shapes(text: str) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes in the state dict of the network in a source text."""
    module = ModuleType("generated")
    exec(compile(text, "generated.py", "exec"), module.__dict__)
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in module.GoogLeNet().state_dict().items()}


def expected_shapes(config: GoogLeNetConfig) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes in the state dict of the live network."""
    return {name: tuple(tensor.shape) for name, tensor in build_model(config, "meta").state_dict().items()}


@pytest.mark.slow
@given(VERSIONS)
@examples(400)
def test_random_networks_round_trip(version: Version) -> None:
    """Each export restores the network; the generated one has the live state dict and the closed form's count."""
    assert version == from_token(to_token(version))
    assert version.config == from_json(to_json(version.config))
    assert version.config == from_metadata(json.loads(json.dumps(to_metadata(version.config))))
    shapes = state_shapes(to_source(version))
    assert shapes == expected_shapes(version.config)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    sizes = [torch.Size(shape).numel() for name, shape in shapes.items() if not name.endswith(buffers)]
    assert sum(sizes) == summarize(version.config).parameters()


@pytest.mark.parametrize("seed", range(20))
def test_an_edited_network_fits_in_300_characters(seed: int) -> None:
    """Even when every cell of the table, every setting, the stem and the heads are edited."""
    rng = random.Random(seed)
    modules = tuple(
        row.replace(**{field: rng.randint(1, 500) for field in type(row).model_fields if field != "name"})
        for row in PAPER.modules
    )
    everything = PAPER.replace(
        modules=modules,
        input_shape=(1, rng.randint(200, 300), rng.randint(200, 300)),
        stem=PAPER.stem.replace(conv1=rng.randint(10, 99), conv2=rng.randint(10, 99)),
        aux=PAPER.aux.replace(taps=("3b", "4e"), pool="adaptive", hidden=rng.randint(10, 999), loss_weight=0.5),
        **{"kernel_5x5": "two_3x3", "normalisation": "batch_norm", "conv_bias": False, "pooling": "padded"},
        classes=rng.randint(10, 999),
        dropout=0.25,
    )
    version = Version("paper", everything)
    assert len(to_token(version)) < 300
    assert version == from_token(to_token(version))
