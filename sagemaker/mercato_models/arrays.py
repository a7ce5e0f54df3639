"""Types of arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: What XGBoost takes and answers: features, labels, scores.
Floats32 = NDArray[np.float32]
#: Ids, counts, and numbers of rows.
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
