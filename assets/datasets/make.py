"""Make ``fashion_mnist.npz`` from the full Fashion-MNIST: ``python -m assets.datasets.make [FOLDER]``.

It has the first 1,000 training images and the first 200 test images of each class, in their order in the original
files. FOLDER has the four IDX files; the default is the folder of Debian's package dataset-fashion-mnist. The same
files give the same bytes.
"""

import sys
from pathlib import Path

import numpy as np

from explorer.data.datasets import BUNDLED_FILE, SYSTEM_FOLDER, read_fashion_mnist

IMAGES_PER_CLASS = {"train": 1_000, "test": 200}


def main(folder: Path, target: Path = BUNDLED_FILE) -> None:
    """Write the subset."""
    full, subset = read_fashion_mnist(folder), {}
    for part, count in IMAGES_PER_CLASS.items():
        labels = full[f"{part}_labels"]
        first = [np.flatnonzero(labels == number)[:count] for number in range(10)]
        chosen = np.sort(np.concatenate(first))
        subset |= {part: full[part][chosen], f"{part}_labels": labels[chosen]}
    np.savez_compressed(target, **subset)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SYSTEM_FOLDER)
