"""Choose a peer's settings fairly: as far as its grid leads, not only along its middle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tqdm import tqdm

Setting = dict[str, Any]
#: Values of each parameter, in order.
Grid = Mapping[str, tuple[Any, ...]]


def climb(grid: Grid, judge: Callable[[Setting], float], title: str) -> tuple[Setting, float]:
    """Change one parameter at a time to its best value until none is better.

    Starts at the middle of each parameter's values. A whole grid of the same width would take a hundred
    times as long, and was therefore so narrow that most peers were best at its edge.

    Args:
        judge: what a setting reaches on earlier baskets; higher is better.
        title: said beside the progress.

    Returns:
        The setting, and what it reached.
    """
    tried: dict[tuple[Any, ...], float] = {}
    setting = {name: values[len(values) // 2] for name, values in grid.items()}
    with tqdm(desc=title, unit=" settings") as progress:

        def reached(setting: Setting) -> float:
            key = tuple(setting[name] for name in grid)
            if key not in tried:
                tried[key] = judge(setting)
                progress.update()
            return tried[key]

        best = reached(setting)
        better = True
        while better:
            better = False
            for name, values in grid.items():
                chosen = max(values, key=lambda value, name=name: reached(setting | {name: value}))  # type: ignore[misc]
                if reached(setting | {name: chosen}) > best:
                    setting, better = setting | {name: chosen}, True
                    best = reached(setting)
    return setting, best
