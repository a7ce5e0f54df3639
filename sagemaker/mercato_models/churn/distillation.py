"""What the trees learn from: labels softened by a logistic regression over the same features (distillation).

A churned household says 1 whatever spoke for its leaving. The regression says how likely it was; trees that
learn from both follow single labels less. The trees alone are kept and served.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

_QUANTILES, _SAMPLE = 200, 20_000
#: Inverse of the penalty: strong, as the features say much the same.
_C = 1e-3
#: Below every feature that is known.
_UNKNOWN = -1.0


def soften(
    rows: NDArray[np.float32], labels: NDArray[np.float32], share: float, seed: int
) -> NDArray[np.float32]:
    """`share` of the teacher's probability and the rest of the label, per row.

    Labels that are all the same teach nothing and stay as they are.
    """
    if share == 0 or labels.min() == labels.max():
        return labels
    normal = QuantileTransformer(
        n_quantiles=_QUANTILES, output_distribution="normal", subsample=_SAMPLE, random_state=seed
    )
    teacher = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=_UNKNOWN, keep_empty_features=True),
        normal,
        StandardScaler(),
        LogisticRegression(C=_C, max_iter=200),
    )
    taught = teacher.fit(rows, labels).predict_proba(rows)[:, 1]
    softened: NDArray[np.float32] = (share * taught + (1 - share) * labels).astype(np.float32)
    return softened
