"""The generated PyTorch file: it runs by itself, loads weights by name, and computes what the live network does."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given
from pydantic import ValidationError
from torch import nn

from explorer import PRESETS, GoogLeNetConfig, UnbuildableError, summarize
from explorer.config import InceptionModule
from explorer.diff import with_module
from explorer.export.source import to_source
from explorer.history import Version
from explorer.live.model import build_model
from tests.strategies import examples, networks

PAPER = PRESETS["paper"]
EDITED = Version("paper", with_module(PAPER, PAPER.module("4a").replace(ch3x3=210, ch5x5_reduce=None)))


def run_module(text: str) -> ModuleType:
    """Run source text as a module."""
    module = ModuleType("generated")
    exec(compile(text, "generated.py", "exec"), module.__dict__)
    return module


def build_generated(config: GoogLeNetConfig, base: str = "paper", device: str = "cpu") -> nn.Module:
    """Return the network of the generated file."""
    with torch.device(device):
        return run_module(to_source(Version(base, config))).GoogLeNet()


def assert_same_rows(config: GoogLeNetConfig, base: str = "paper") -> None:
    """Compare the file's network, on the meta device, with the closed form, row by row."""
    model, outputs = build_generated(config, base, "meta"), {}
    for path, layer in model.named_modules():
        layer.register_forward_hook(lambda _, __, output, path=path: outputs.update({path: output}))
    model.train()(torch.empty(2, *config.input_shape, device="meta"))
    for row in summarize(config).rows:
        path = row.path.removesuffix(".concat") if row.kind == "concat" else row.path
        assert tuple(outputs[path].shape[1:]) == row.out_shape, row.path
        if row.kind != "concat":
            assert sum(p.numel() for p in model.get_submodule(path).parameters()) == row.parameters, row.path


def assert_same_output(config: GoogLeNetConfig, base: str = "paper") -> None:
    """Assert that the live and the generated network with the same weights give the same bits, in either mode."""
    live, generated = build_model(config), build_generated(config, base)
    generated.load_state_dict(live.state_dict())
    images = torch.randn(2, *config.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(live.eval()(images), generated.eval()(images))
        live.train(), generated.train()
        torch.manual_seed(7)
        expected = live(images)
        torch.manual_seed(7)
        logits, aux = generated(images)
    assert torch.equal(expected.logits, logits)
    assert list(expected.aux) == list(aux)
    assert all(torch.equal(expected.aux[tap], aux[tap]) for tap in aux)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_the_same_rows(name: str) -> None:
    """Every shape and parameter count is that of the closed form."""
    assert_same_rows(PRESETS[name], name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mini", "torchvision"])
def test_presets_have_the_same_output(name: str) -> None:
    """To the last bit, heads and dropout included; with small images to be fast."""
    config = PRESETS[name]
    side = 28 if name == "mini" else 64
    assert_same_output(config.replace(input_shape=(config.input_shape[0], side, side)), name)


@pytest.mark.slow
@given(networks())
@examples(12)
def test_random_networks_have_the_same_output(config: GoogLeNetConfig) -> None:
    """Cells may be blank or zero, modules added or renamed."""
    assert_same_output(config)


@pytest.mark.slow
def test_the_file_runs_without_the_app(tmp_path: Path) -> None:
    """As a script it needs only torch, and prints its parameters and the shape of its logits."""
    file = tmp_path / "network.py"
    file.write_text(to_source(Version("mini", PRESETS["mini"])), encoding="utf-8")
    result = subprocess.run([sys.executable, "-I", str(file)], capture_output=True, text=True, check=True, cwd=tmp_path)
    small = summarize(PRESETS["mini"]).parameters(aux=False)
    assert result.stdout == f"{small:,} parameters at inference, 458,294 with auxiliary heads; logits (1, 10)\n"
    assert "explorer" not in {
        name.split(".")[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "") or ""]
        )
    }


def test_the_docstring_describes_the_network() -> None:
    """It has the preset, the edits with both values, the totals, and how to load weights."""
    docstring = ast.get_docstring(ast.parse(to_source(EDITED)))
    summary = summarize(EDITED.config)
    for part in (
        "paper + 2 edits",
        "arXiv:1409.4842",
        "4a, #3×3: 208 → 210",
        "4a, #5×5 reduce: 16 → blank",
        f"{summary.parameters(aux=False):,} parameters",
        f"{summary.macs():,} MACs",
        "load_state_dict",
        "0.3 · the sum",
    ):
        assert part in docstring


def test_name_and_note_are_strings() -> None:
    """They can be read from the file unchanged."""
    module = run_module(to_source(EDITED, "wide_4a", 'it\'s """quoted""" \\'))
    assert module.NAME == "wide_4a"
    assert module.NOTE == 'it\'s """quoted""" \\'


def test_without_a_name_and_a_note_the_file_has_none() -> None:
    """Nobody would use an empty string."""
    text = to_source(EDITED)
    assert "NAME" not in text
    assert "NOTE" not in text
    assert 'NAME = "wide"' in to_source(EDITED, "wide").replace("'", '"')


def test_no_line_is_too_long() -> None:
    """The file passes the usual linters, for every preset."""
    for name, config in PRESETS.items():
        assert max(map(len, to_source(Version(name, config)).splitlines())) <= 120


def test_an_invalid_config_is_refused() -> None:
    """A config that bypassed its validation, or that cannot be built, does not become code."""
    evil = InceptionModule.model_construct(**(dict(PAPER.modules[0]) | {"name": "3a = __import__('os')"}))
    forged = GoogLeNetConfig.model_construct(**(dict(PAPER) | {"modules": (evil, *PAPER.modules[1:])}))
    with pytest.raises(ValidationError):
        to_source(Version("paper", forged))
    with pytest.raises(UnbuildableError):
        to_source(Version("paper", PAPER.replace(classes=1)))
