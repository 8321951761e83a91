"""Make ``fashion_mnist.npz`` from all of Fashion-MNIST: ``python -m assets.datasets.make [FOLDER]``.

Of each class the first 1,000 training and the first 200 test images, in their order in the original files. FOLDER has
the four IDX files; by default where Debian's package dataset-fashion-mnist puts them. The same files give the same
bytes.
"""

import sys
from pathlib import Path

import numpy as np

from explorer.data.datasets import SHIPPED, SYSTEM, read_fashion_mnist

EACH = {"train": 1_000, "test": 200}


def main(folder: Path, target: Path = SHIPPED) -> None:
    """Write the subset."""
    whole, subset = read_fashion_mnist(folder), {}
    for part, each in EACH.items():
        labels = whole[f"{part}_labels"]
        first = [np.flatnonzero(labels == number)[:each] for number in range(10)]
        chosen = np.sort(np.concatenate(first))
        subset |= {part: whole[part][chosen], f"{part}_labels": labels[chosen]}
    np.savez_compressed(target, **subset)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SYSTEM)
