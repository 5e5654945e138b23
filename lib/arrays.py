"""Names of the array types that stand in signatures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ComplexArray = NDArray[np.complex128]

AnyArray = NDArray[Any]
"""A column of a catalog: float32 or float64, integers or booleans."""
