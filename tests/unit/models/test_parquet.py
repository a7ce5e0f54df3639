"""A broken file of a channel is named, with what makes it again, whichever model reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mercato_models import demographics
from mercato_models.checks import CheckError
from mercato_models.churn import channels as churn
from mercato_models.fraud import payments
from mercato_models.price import channels as price
from mercato_models.recommend import channels as recommend

WHOLE = pd.DataFrame({"a": range(1_000)})
MAGIC = b"PAR1"


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def with_a_broken_footer(data: bytes) -> bytes:
    """Whose end is as it should be, so that it is taken for Parquet."""
    end = len(MAGIC) + 4
    return data[: -end - 300] + bytes(300) + data[-end:]


@pytest.mark.parametrize(
    "broken", [cut, with_a_broken_footer, lambda _data: b"", lambda _data: b"a,b\n1,2\n"]
)
@pytest.mark.parametrize(
    ("name", "read", "command"),
    [
        (churn.FILE, churn.read, "mercato train churn"),
        ("payments.parquet", payments.read, "mercato train fraud"),
        (price.FILE, price.read, "mercato train price"),
        (price.ELASTICITIES, price.elasticities, "mercato train price"),
        (recommend.file_name(recommend.CONTEXTS), recommend.read_contexts, "mercato train recommend"),
        (
            demographics.FILE,
            lambda folder: demographics.groups(folder, pd.Series([1]), "churn"),
            "mercato train churn",
        ),
    ],
)
def test_it_is_named_with_what_makes_it_again(
    name: str,
    read: Callable[[Path], Any],
    command: str,
    broken: Callable[[bytes], bytes],
    tmp_path: Path,
) -> None:
    path = tmp_path / name
    WHOLE.to_parquet(path)
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(CheckError) as refused:
        read(tmp_path)
    said = str(refused.value)
    assert said.startswith(f"{path} cannot be read as Parquet (")
    assert said.endswith(f"`{command}` makes it again")
    assert "\n" not in said
