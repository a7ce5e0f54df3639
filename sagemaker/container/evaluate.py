"""Judge a trained model: what its training script found, as a pipeline's gate reads it.

    python evaluate.py --training FOLDER --evaluation FOLDER --metric model_recall_at_10

FOLDER of the training holds the job's `output.tar.gz`; `evaluation.json` has every figure, the one metric,
and the reasons for which the model's own gate (better than its baselines, fair) refuses it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

from mercato.errors import MercatoError
from mercato_models.script import METRICS


class EvaluationError(MercatoError):
    """The training left nothing to judge."""


def main(arguments: list[str] | None = None) -> None:
    """Read, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--training", type=Path, required=True, help="folder with output.tar.gz")
    parser.add_argument("--evaluation", type=Path, required=True, help="folder for evaluation.json")
    parser.add_argument("--metric", required=True, help="figure that a run may be asked to reach")
    args = parser.parse_args(arguments)
    judged = judgement(figures(args.training / "output.tar.gz"), args.metric)
    args.evaluation.mkdir(parents=True, exist_ok=True)
    (args.evaluation / "evaluation.json").write_text(json.dumps(judged, indent=2))
    print(json.dumps(judged["gate"] | judged["metric"]))


def figures(archive: Path) -> dict[str, Any]:
    """What a training script wrote to `metrics.json`.

    Raises:
        EvaluationError: it did not.
    """
    try:
        with tarfile.open(archive) as files:
            file = files.extractfile(next(each for each in files if Path(each.name).name == METRICS))
            assert file
            written: dict[str, Any] = json.load(file)
    except (OSError, StopIteration, tarfile.TarError, ValueError) as error:
        message = f"{archive} holds no {METRICS}: look into the training job's log"
        raise EvaluationError(message) from error
    return written


def judgement(written: dict[str, Any], metric: str) -> dict[str, Any]:
    """Figures, the one that matters most, and the gate.

    Raises:
        EvaluationError: the metric or the gate's verdict is missing.
    """
    if missing := [name for name in (metric, "passes", "reasons") if name not in written]:
        raise EvaluationError(f"{METRICS} lacks {', '.join(missing)}; it has {', '.join(written)}")
    numbers = {
        name: value
        for name, value in written.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    # A verdict without a reason would be a mistake of the script; it fails all the same.
    failures = 0 if written["passes"] else max(1, len(written["reasons"]))
    return {
        "metrics": numbers,
        "metric": {"name": metric, "value": written[metric]},
        "gate": {"failures": failures, "reasons": written["reasons"]},
    }


if __name__ == "__main__":
    try:
        main()
    except MercatoError as error:
        sys.exit(f"evaluate: {error}")
