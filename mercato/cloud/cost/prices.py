"""The dated price files in `mercato/cloud/prices/`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, ValidationError, model_validator

from mercato.errors import MercatoError

FOLDER = Path(__file__).parents[1] / "prices"
#: AWS changes some price about this often.
STALE = timedelta(days=180)


class PriceError(MercatoError):
    """There is no price for something, or no readable price file."""


class Price(BaseModel):
    """What AWS asks for one unit of something.

    Attributes:
        page: AWS's page to check it on.
        source: where it was read, by the names in the file's `sources`.
        looked_up: when.
        unit: what one is paid for.
        usd: dollars a unit, where there is one price.
        sizes: dollars a unit by size, such as an instance type.
        assumed_sizes: the same, for sizes that no source confirms.
        assumed: whether no source confirms it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: str
    source: str = ""
    looked_up: date
    unit: str
    usd: NonNegativeFloat | None = None
    sizes: dict[str, NonNegativeFloat] = Field(default_factory=dict)
    assumed_sizes: dict[str, NonNegativeFloat] = Field(default_factory=dict)
    assumed: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Price:
        if (self.usd is None) != bool(self.sizes or self.assumed_sizes):
            raise ValueError("needs either usd or sizes")
        if not self.source and not self.assumed and (self.usd is not None or self.sizes):
            raise ValueError("needs a source, or assumed = true")
        return self


@dataclass(frozen=True)
class Rate:
    """One price, of one size.

    Attributes:
        service: name of the AWS service.
        usd: dollars a unit.
        unit: what one is paid for.
        assumed: whether no source confirms it.
    """

    service: str
    usd: float
    unit: str
    assumed: bool


@dataclass(frozen=True)
class PriceList:
    """Prices of a region.

    Attributes:
        file: where they stand.
        region: AWS region.
        looked_up: when the file was last gone through.
        sources: where its numbers were read, by short names.
        prices: by `SERVICE.WHAT`.
    """

    file: Path
    region: str
    looked_up: date
    sources: Mapping[str, str]
    prices: Mapping[str, Price]

    def rate(self, key: str, size: str | None = None) -> Rate:
        """The price of something.

        Raises:
            PriceError: the file has none for it, or not in that size.
        """
        price = self.prices.get(key)
        if price is None:
            raise PriceError(f"{self.file.name} has no price {key}.")
        service = re.sub(r"^(Amazon|AWS) | pricing$", "", price.page)
        if size is None and price.usd is not None:
            return Rate(service, price.usd, price.unit, price.assumed)
        for sizes, assumed in ((price.sizes, price.assumed), (price.assumed_sizes, True)):
            if size in sizes:
                return Rate(service, sizes[size], price.unit, assumed)
        raise PriceError(f"{self.file.name} has no price {key} for {size}.")

    def is_stale(self, today: date) -> bool:
        """Whether prices should be looked up again."""
        return today - self.looked_up > STALE


def newest(region: str, folder: Path = FOLDER) -> PriceList:
    """The newest price file of a region.

    Raises:
        PriceError: there is none; one line says for which regions there are.
    """
    files = sorted(folder.glob(f"{region}-[0-9]*.toml"))
    if not files:
        regions = sorted({path.stem[: -len("-2026-11")] for path in folder.glob("*.toml")})
        raise PriceError(
            f"there are no prices for {region}, only for {', '.join(regions)}: "
            f"write {folder / f'{region}-YYYY-MM.toml'}, or give another file by --prices."
        )
    return load(files[-1])


def load(file: Path) -> PriceList:
    """A price file.

    Raises:
        PriceError: it cannot be read; one line names the entry and what is wrong with it.
    """
    try:
        content = tomllib.loads(file.read_text())
        region, looked_up, sources = (content.pop(key) for key in ("region", "looked_up", "sources"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PriceError(f"the price file {file} cannot be read: {error}.") from error
    except KeyError as error:
        raise PriceError(f"the price file {file} lacks {error}.") from error
    prices = {}
    for key, entry in _entries(content, {"looked_up": looked_up}):
        try:
            prices[key] = Price.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (key, *first["loc"])))
            raise PriceError(f"the price file {file.name}: {where}: {first['msg']}.") from error
        unknown = set(filter(None, prices[key].source.split(", "))) - set(sources)
        if unknown:
            raise PriceError(f"the price file {file.name}: {key}: its sources have no {unknown.pop()!r}.")
    return PriceList(file, region, looked_up, sources, prices)


def _entries(
    content: Mapping[str, Any], inherited: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each price with what its service says for all of its prices."""
    for service, table in content.items():
        common = {key: value for key, value in table.items() if not isinstance(value, dict)}
        for what, entry in table.items():
            if isinstance(entry, dict):
                yield f"{service}.{what}", {**inherited, **common, **entry}
