"""Trained weights as files: this app's, torchvision's layout where the network fits it, and ONNX."""

from functools import partial
from pathlib import Path

import streamlit as st

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.export.size import Binary, export_limit_reason
from explorer.export.torchvision import torchvision_refusal
from explorer.ui.components.downloads import File, download_buttons
from explorer.ui.components.export_process import run_export

_TYPE = "application/octet-stream"


def show_weights_downloads(config: GoogLeNetConfig, weights: Path, stem: str) -> None:
    """Show a button for each format of some trained weights; the names of the files begin with ``stem``."""
    summary = summarize(config)

    def converted(label: str, kind: Binary, help: str, refusal: str = "") -> File:
        make = partial(run_export, config, kind, weights)
        return File(label, kind, _TYPE, help, make, refusal or export_limit_reason(summary, kind))

    files = (
        File("safetensors", "safetensors", _TYPE, "With the network and its training; opens here.", weights.read_bytes),
        converted(
            "torchvision .pth",
            "pth",
            "A state dict for torchvision's googlenet, with transform_input=False.",
            torchvision_refusal(config),
        ),
        converted("ONNX", "onnx", "The network at inference, with these weights and any batch size."),
    )
    download_buttons(files, stem, weights)
    st.caption("The input is (pixel / 255 − mean) / std; mean and std are in the metadata of the safetensors file.")
