"""The types of arrays of images and labels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
AnyArray = NDArray[Any]  # numbers or text of a type that the file decides
