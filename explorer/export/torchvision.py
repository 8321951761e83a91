"""Which networks torchvision's GoogLeNet can be, and what it calls their tensors. Free of torch.

Source: torchvision 0.28 ``models/googlenet.py``; its names are in :mod:`explorer.data.weight_files`.
"""

from explorer.config import GoogLeNetConfig
from explorer.data.weight_files import HEADS, TORCHVISION, torchvision_layers
from explorer.presets import PRESETS


def torchvision_refusal(config: GoogLeNetConfig) -> str:
    """Return why torchvision's GoogLeNet cannot take the weights of a network; an empty string if it can.

    Its number of classes is free, and so is the size of its input; it has both auxiliary heads or none.
    """
    reference = PRESETS[TORCHVISION]
    if config.aux.taps not in ((), tuple(HEADS.values())):
        return "torchvision's GoogLeNet has its auxiliary heads at 4a and 4d, or none."
    free = {"classes": reference.classes, "input_shape": (config.input_shape[0], *reference.input_shape[1:])}
    same = config.replace(**free, dropout=reference.dropout, aux=reference.aux)
    if same != reference:
        return "torchvision's GoogLeNet is the preset torchvision: no other widths, branches or layers fit it."
    return ""


def to_torchvision_name(name: str) -> str:
    """Return torchvision's name of a tensor of this app."""
    layers = {path: layer for layer, path in torchvision_layers().items()}
    path = next(path for path in sorted(layers, key=len, reverse=True) if name.startswith(f"{path}."))
    return layers[path] + name[len(path) :]
