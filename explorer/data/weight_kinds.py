"""Recognise weight files that the app does not read, and say how to convert them. Free of torch.

A file is only looked at: its first bytes, and the names in it if it is a zip archive.
"""

import zipfile
from pathlib import Path

STATE_DICT = "torch.save(model.state_dict(), 'weights.pth')"
_ONNX_VERSION = 8  # the tag of the first field of an ONNX model
_KERAS = "Its layers are not those of a PyTorch network. Choose weights saved by PyTorch."

# What a file is, by how it begins, and the remedy.
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF", "an HDF5 file, as Keras saves weights", _KERAS),
    (b"GGUF", "a GGUF file of a language model", "Choose weights of a GoogLeNet."),
    (b"\x93NUMPY", "an array of NumPy", f"Save all weights with {STATE_DICT}."),
    (b"Rar!", "a RAR archive", "Unpack it and choose the file of weights in it."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it and choose the file of weights in it."),
    (b"\x1f\x8b", "compressed by gzip", "Unpack it and choose the file in it."),
    (b"version https://git-lfs", "only a pointer of Git LFS to a file", "Download the file itself: git lfs pull."),
    (b"<!DOCTYPE", "a web page", "Download the file itself."),
    (b"<html", "a web page", "Download the file itself."),
    (b"{", "a text in JSON", f"Save the weights with {STATE_DICT}."),
)


def describe_other_weights(path: Path) -> str:
    """Return in a sentence or two what a file is and the remedy; empty if it may be weights. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "The file is empty. Save or download it again."
    for start, what, remedy in _STARTS:
        if head.startswith(start):
            return f"The file is {what}. {remedy}"
    if head[0] == _ONNX_VERSION and (b"pytorch" in head or b"onnx" in head.lower()):
        return f"The file is a graph in ONNX. Choose the weights it was made from: {STATE_DICT}."
    if head.isascii() and head.decode().replace("\n", " ").isprintable():
        return f"The file is a text. Save the weights with {STATE_DICT}."
    if head.startswith(b"PK"):
        return _describe_archive(path)
    return ""


def _describe_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return ""
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        return (
            "The file is a TorchScript program (torch.jit.save): code together with its weights. Convert it: "
            "torch.save(torch.jit.load('file.pt').state_dict(), 'weights.pth')."
        )
    if any("serialized_exported_program" in name or name.endswith("models/model.json") for name in names):
        return (
            "The file is a program of torch.export. Convert it: "
            "torch.save(torch.export.load('file.pt2').state_dict, 'weights.pth')."
        )
    if names and all(name.endswith(".npy") for name in names):
        return f"The file holds arrays of NumPy (.npz). Save the weights with {STATE_DICT}."
    if "model.weights.h5" in names:
        return f"The file is a Keras model. {_KERAS}"
    if not any(name.endswith("data.pkl") for name in names):
        return "The file is a zip without weights of PyTorch. Unpack it and choose the file of weights in it."
    return ""
