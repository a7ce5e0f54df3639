"""How the demand model's settings are chosen: on weeks before the judged ones, which it does not know.

python -m benchmarks.price_settings     (in .venv/peers)

Two years that end early, each judged on its own newest weeks. What is chosen has the least error, of cells
and of products, plus the share by which its forecasts do not sum up to what was sold: few units are predicted
best by too few, but prices and stock need the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.machine import describe_machine, write_result
from benchmarks.price_data import year
from benchmarks.price_demand import lightgbm_defaults
from benchmarks.tuning import Grid, Setting, climb
from mercato_models.arrays import Floats
from mercato_models.price import demand, evaluation
from mercato_models.price.demand import Hyperparameters
from mercato_models.price.evaluation import FORECAST, LEVELS
from mercato_models.price.panel import JUDGED_WEEKS, PANEL, checked

_UNITS = PANEL.c.units
#: Weeks known. The last one is not judged, as in the whole year, so that both end before its judged weeks.
_YEARS = (45, 45 - JUDGED_WEEKS)
_SEEDS = (0, 1)
_GRID: Grid = {
    "variance_power": (1.2, 1.3, 1.4, 1.5, 1.6, 1.7),
    "max_depth": (4, 5, 6, 7, 8, 10),
    "rounds": (100, 150, 200, 300, 400),
    "min_child_weight": (1.0, 5.0, 20.0),
    "reg_lambda": (1.0, 10.0, 30.0),
}
_SUM = "forecast_to_sold"


@dataclass(frozen=True, slots=True)
class _Year:
    """A year that ends early."""

    panel: pd.DataFrame
    rows: pd.DataFrame

    @classmethod
    def of(cls, weeks: int) -> _Year:
        panel = evaluation.established(checked(year(weeks)))
        return cls(panel, demand.features(panel))

    def judge(self, forecast: Floats | pd.Series) -> dict[str, float]:
        _, judged = evaluation.split(self.panel)
        rows = self.panel[judged].assign(**{FORECAST: np.asarray(forecast)})
        equal = np.ones(len(rows))
        errors = {name: evaluation.wape(rows, FORECAST, level)(equal) for name, level in LEVELS.items()}
        return errors | {_SUM: float(forecast.sum() / rows[_UNITS].sum())}

    def reached(self, parameters: Hyperparameters) -> dict[str, float]:
        seeds = (replace(parameters, seed=seed) for seed in _SEEDS)
        return _mean(
            [self.judge(evaluation.backtest(self.panel, self.rows, each)[FORECAST]) for each in seeds]
        )


def main() -> None:
    """Choose, and write what the settings and LightGBM's defaults reach to `price_settings.json`."""
    machine, years = describe_machine(), [_Year.of(weeks) for weeks in _YEARS]
    tried: list[dict[str, float]] = []

    def reach(setting: Setting) -> float:
        errors = _mean([each.reached(Hyperparameters(**setting)) for each in years])
        tried.append(setting | errors)
        return -_cost(errors)

    chosen, _ = climb(_GRID, reach, "demand")
    peers = [each.judge(lightgbm_defaults(each.panel, each.rows)) for each in years]
    rows = [len(each.panel[evaluation.split(each.panel)[1]]) for each in years]
    result = {
        "machine": machine,
        "years": _YEARS,
        "judged_rows": rows,
        "chosen": chosen,
        "lightgbm_defaults": _mean(peers),
        "tried": sorted(tried, key=_cost),
    }
    print(write_result("price_settings", result))


def _cost(errors: dict[str, float]) -> float:
    return sum(errors[name] for name in LEVELS) / len(LEVELS) + abs(errors[_SUM] - 1)


def _mean(errors: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([each[name] for each in errors])) for name in errors[0]}


if __name__ == "__main__":
    main()
