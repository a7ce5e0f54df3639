"""What models learn from: out of the lake, into the files of a training job's channel.

The ranker's needs a session and features of the past: `mercato_models.recommend.pipeline` writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.gold import BASKET_LINES, PRICE_HISTORY
from mercato.contracts.tables.silver import PAYMENT_OUTCOMES, PAYMENTS, PRODUCTS, PROMOTIONS
from mercato.errors import MercatoError
from mercato.lake.storage import filesystem
from mercato.lake.tables import Lake
from mercato_models import demographics, script
from mercato_models.churn import channels as churn
from mercato_models.fraud import payments as fraud
from mercato_models.fraud.labelled_payments import payments_of
from mercato_models.price import channels as price


@dataclass(frozen=True)
class Dataset:
    """What a model learns from.

    Attributes:
        sources: tables of the lake that all must be there.
        write: the channel's files, out of them.
    """

    sources: tuple[Table, ...]
    write: Callable[[Lake, Path], None]


def _churn(lake: Lake, channel: Path) -> None:
    churn.write(channel, lake.read_arrow(BASKET_LINES).to_pandas(), datetime.now(UTC))


def _fraud(lake: Lake, channel: Path) -> None:
    paid, outcomes = (lake.read_arrow(table).to_pandas() for table in (PAYMENTS, PAYMENT_OUTCOMES))
    fraud.write(channel, payments_of(paid, outcomes))


def _price(lake: Lake, channel: Path) -> None:
    prices, products = (lake.read_arrow(table).to_pandas() for table in (PRICE_HISTORY, PRODUCTS))
    price.write(channel, prices, price.placements(lake.read_arrow(PROMOTIONS)), products)


#: As which a CSV file's values are read: 2 is one of them, and 5+ another.
_TEXTS: Mapping[str, type[str]] = dict.fromkeys(demographics.BANDS, str)
DATASETS: Mapping[str, Dataset] = {
    "churn": Dataset((BASKET_LINES,), _churn),
    "fraud": Dataset((PAYMENTS, PAYMENT_OUTCOMES), _fraud),
    "price": Dataset((PRICE_HISTORY, PROMOTIONS, PRODUCTS), _price),
}
#: Models whose scores are about people, so that groups of people are compared.
OF_PEOPLE = ("recommend", "churn", "fraud")


def people(uri: str) -> pd.DataFrame:
    """Demographics in a Parquet file, or in a CSV file with a head, on S3 or here.

    Raises:
        MercatoError: there is no such file, or it is of another kind.
        CheckError: it is not as `demographics.write` takes it.
    """
    storage, path = filesystem(uri)
    csv = path.endswith(".csv")
    try:
        with storage.open_input_file(path) as file:
            read = pd.read_csv(file, dtype=_TEXTS) if csv else pd.read_parquet(file)
    except FileNotFoundError as error:
        raise MercatoError(f"{uri} is missing: it should hold what is known of households") from error
    except (OSError, ValueError) as error:
        raise MercatoError(f"{uri} cannot be read as {'CSV' if csv else 'Parquet'}: {error}") from error
    demographics.check(read)
    return read


def write(model: str, lake: Lake, channel: Path) -> None:
    """Write the channel of a model of DATASETS, with the versions of the tables that it came from.

    Raises:
        MercatoError: a table is not there, or nothing can be learned from what is.
    """
    dataset = DATASETS[model]
    versions = {table.name: lake.version(table) for table in dataset.sources}
    if missing := sorted(name for name, version in versions.items() if version is None):
        raise MercatoError(f"There is no {', '.join(missing)} to learn from yet: run `mercato run` first.")
    dataset.write(lake, channel)
    script.write_versions(channel, versions)
