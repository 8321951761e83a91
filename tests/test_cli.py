"""The command line: its output, its errors and its exit codes."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from typer.testing import CliRunner, Result

from explorer import PRESETS, summarize
from explorer.cli import ExportFormat, app
from explorer.diff import with_module
from explorer.history import Version
from explorer.live.weights import load_weights
from explorer.share import to_json, to_token

PAPER = PRESETS["paper"]
EDITED = with_module(PAPER, PAPER.module("4a").replace(ch3x3=210))


def run(*arguments: str, stdin: str | None = None, code: int = 0) -> Result:
    """Run the command line in this process and check the exit code."""
    result = CliRunner().invoke(app, arguments, input=stdin)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def edited(tmp_path: Path) -> str:
    """Write a JSON file of an edited network and return its path."""
    path = tmp_path / "wide.json"
    path.write_text(to_json(EDITED), encoding="utf-8")
    return str(path)


def test_summary() -> None:
    """The output has the exact totals of a preset."""
    output = run("summary", "paper").stdout
    for number in ("6,998,552", "13,378,280", "1,582,671,872", "715 px"):
        assert number in output


def test_summary_of_every_way_to_name_a_network(edited: str) -> None:
    """A file, standard input, a token and a whole link mean the same network."""
    expected = f"{summarize(EDITED).parameters(aux=False):,}"
    token = to_token(Version("paper", EDITED))
    for network, stdin in (
        (edited, None),
        ("-", to_json(EDITED)),
        (token, None),
        (f"http://localhost:8501/network?net={token}&view=Cost", None),
    ):
        assert expected in run("summary", network, stdin=stdin).stdout


@pytest.mark.parametrize("shape", ["text", "csv", "latex", "markdown"])
def test_layers_in_every_format(shape: str) -> None:
    """Each format has a line for each layer."""
    output = run("summary", "mini", "--layers", "--format", shape).stdout
    assert sum("classifier" in line for line in output.splitlines()) >= 5
    assert output.count("\n") >= len(summarize(PRESETS["mini"]).rows)


def test_compare(edited: str) -> None:
    """Totals show differences from the chosen base; a network compared with itself has none."""
    output = run("compare", "paper", edited).stdout
    assert "B wide" in output
    assert "▲ +" in output
    assert "▼ −" in run("compare", "paper", edited, "--base", "2").stdout
    assert "▲" not in run("compare", "paper", "paper").stdout
    assert run("compare", "paper", "paper", "--layers").stdout == "Nothing differs.\n"
    assert "inception_4a.branch_3x3.conv" in run("compare", "paper", edited, "--layers").stdout
    assert "<table" in run("compare", "paper", edited, "half", "--format", "html").stdout


@pytest.mark.parametrize(
    "kind",
    [kind for kind in ExportFormat if kind not in (ExportFormat.onnx, ExportFormat.safetensors, ExportFormat.pth)],
)
def test_export_of_text(kind: ExportFormat, tmp_path: Path) -> None:
    """Each format goes to standard output; with -o the same content goes to a file."""
    output = run("export", "mini", "--format", kind.value).stdout_bytes.decode()
    file = tmp_path / "out"
    assert run("export", "mini", "-f", kind.value, "-o", str(file)).stdout == ""
    assert file.read_bytes().decode() == output
    starts = {"pytorch": '"""GoogLeNet', "json": "{", "link": "2.mini", "csv": "\ufefflayer", "html": "<!doctype html>"}
    assert output.startswith(starts.get(kind.value, ""))
    if kind is ExportFormat.pytorch:
        ast.parse(output)


def test_what_is_exported_can_be_read_again(edited: str) -> None:
    """An exported JSON file and link are the network again."""
    text = run("export", edited, "-f", "json").stdout
    assert text.strip() == to_json(EDITED)
    link = run("export", edited, "-f", "link").stdout.strip()
    assert link == to_token(Version("paper", EDITED))


def test_weights_and_graph(tmp_path: Path) -> None:
    """The ONNX graph uses the written weights; the same seed gives the same bytes."""
    weights, graph, again = tmp_path / "w.safetensors", tmp_path / "g.onnx", tmp_path / "again.onnx"
    run("export", "mini", "-f", "safetensors", "--seed", "4", "-o", str(weights))
    assert load_weights(weights).config == PRESETS["mini"]
    run("export", "mini", "-f", "onnx", "--weights", str(weights), "-o", str(graph))
    run("export", "mini", "-f", "onnx", "--seed", "4", "-o", str(again))
    assert graph.read_bytes() == again.read_bytes()
    onnx.checker.check_model(onnx.load(graph))
    output = run("export", "half", "-f", "onnx", "--weights", str(weights), "-o", str(graph), code=1).stderr
    assert "another network" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["summary", "nothing"], "not a preset, and no such file"),
        (["summary", "."], "not a preset, and no such file"),
        (["summary", "2.paper.AAAA"], "The link is cut off"),
        (["compare", "paper", "/nowhere/x.json"], "no such file"),
        (["export", "paper", "-f", "csv", "-o", "/nowhere/x"], "cannot be written"),
        (["export", "mini", "-f", "onnx", "--weights", "/nowhere/x"], "not a safetensors file"),
        (["export", "mini", "-f", "pth"], "no other widths, branches or layers fit it"),
    ],
)
def test_what_cannot_be_done(arguments: list[str], message: str) -> None:
    """The exit code is 1, with one sentence on standard error."""
    result = run(*arguments, code=1)
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_bad_files(tmp_path: Path) -> None:
    """A file that is not a network is refused with its name and the reason; a huge one is read only in part."""
    for content, message in ((b"x", "not JSON"), (b"\xff\xfe", "not JSON"), (b" " * 10**7, "at most 100,000 bytes")):
        path = tmp_path / "x.json"
        path.write_bytes(content)
        assert message in run("summary", str(path), code=1).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "paper"],
        ["compare", *["paper"] * 5],
        ["compare", "paper", "half", "--base", "3"],
        ["export", "paper"],
        ["export", "paper", "-f", "gif"],
        ["summary"],
        ["nonsense"],
    ],
)
def test_what_is_not_understood(arguments: list[str]) -> None:
    """The exit code is 2, with a hint on standard error."""
    assert run(*arguments, code=2).stderr


def test_help() -> None:
    """Every command has help, and the main help names the presets."""
    assert "inception5h" in run("--help").stdout
    for command in ("summary", "compare", "export"):
        assert "NETWORK" in run(command, "--help").stdout


@pytest.mark.slow
def test_a_pipe_without_torch() -> None:
    """Run as a program: output can be piped into another command, and torch is not loaded."""
    line = f"{sys.executable} -X importtime -m explorer export paper -f json 2>&1 >/dev/null | grep -c -w torch"
    count = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert count.stdout.strip() == "0"
    python = f"{sys.executable} -m explorer"
    piped = f"{python} export half -f json | {python} compare paper - --format csv"
    result = subprocess.run(piped, shell=True, capture_output=True, text=True, check=True)
    assert "2,010,560" in result.stdout
    assert json.loads(run("export", "half", "-f", "json").stdout)["version"] == 1


def test_serve_needs_its_option() -> None:
    """Without it, the message names the command that serves one person."""
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 2
    assert "streamlit run streamlit_app.py" in result.output
