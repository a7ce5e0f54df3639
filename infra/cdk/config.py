"""One typed configuration per environment, read from `infra/cdk/environments/NAME.toml`.

Whatever a retailer may want to change is here; what must never differ (encryption, private subnets,
TLS) is not. `dev` holds the defaults: the cheapest thing that works.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from infra.cdk.sections import (
    Airflow,
    Decisions,
    Delivery,
    Engines,
    Features,
    Graph,
    Intake,
    Lake,
    Models,
    Network,
    Observability,
    Processing,
    Search,
    Section,
    Streaming,
)
from mercato.errors import MercatoError

FOLDER = Path(__file__).parent / "environments"
_EXPRESS_ZONES = 3
_TWO_ZONES = 2


class ConfigError(MercatoError):
    """A configuration names something that cannot be deployed."""


class Config(Section):
    """Everything that differs between two deployments.

    Attributes:
        name: of the environment; part of every stack's name.
        account: AWS account; the one of the credentials at hand unless given.
        region: AWS region.
        retain: keep stateful resources when their stack is deleted.
    """

    name: str
    account: Annotated[str, Field(pattern=r"^$|^\d{12}$")] = ""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] = "us-east-1"
    retain: bool = True
    network: Network = Network()
    streaming: Streaming = Streaming()
    lake: Lake = Lake()
    processing: Processing = Processing()
    features: Features = Features()
    intake: Intake = Intake()
    decisions: Decisions = Decisions()
    search: Search = Search()
    graph: Graph = Graph()
    models: Models = Models()
    airflow: Airflow = Airflow()
    delivery: Delivery = Delivery()
    engines: Engines = Engines()
    observability: Observability = Observability()

    @model_validator(mode="after")
    def _zones_of_region(self) -> Config:
        for zone in self.network.availability_zones:
            if not zone.startswith(self.region):
                raise ValueError(
                    f"network.availability_zones has {zone}; "
                    f"allowed: zones of {self.region}, such as {self.region}a"
                )
        if self.streaming.kind == "express" and len(self.network.availability_zones) < _EXPRESS_ZONES:
            raise ValueError(
                "streaming.kind express keeps three copies of every event; "
                f"allowed: network.availability_zones with {_EXPRESS_ZONES} zones"
            )
        return self

    @model_validator(mode="after")
    def _search_in_zones(self) -> Config:
        nodes = self.search.instances
        spread = min(nodes, len(self.network.availability_zones))
        if self.search.enabled and spread == _TWO_ZONES and nodes % _TWO_ZONES:
            raise ValueError(
                f"search.instances {nodes} cannot be spread over two zones; allowed: 1, an even number, "
                "or a third zone in network.availability_zones"
            )
        return self


def environments() -> list[str]:
    """Names that `load` knows."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str, overlay: Mapping[str, Any] = MappingProxyType({})) -> Config:
    """The configuration of an environment.

    Args:
        overlay: whole sections that replace those of its file.

    Raises:
        ConfigError: there is none of that name, or a value is not allowed; one line names the key,
            the value and what is allowed.
    """
    if name not in environments():
        raise ConfigError(f"env = {name!r} is unknown; allowed: {', '.join(environments())}.")
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    account = values.get("account") or os.environ.get("CDK_DEFAULT_ACCOUNT", "")
    return parse({"account": account, **values, **overlay, "name": name}, f"{name}.toml")


def parse(values: dict[str, object], origin: str) -> Config:
    """Check the values of one environment.

    Raises:
        ConfigError: see `load`.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or origin
        message = first["msg"].removeprefix("Value error, ")
        value = first["input"] if isinstance(first["input"], str | int | float | bool) else ""
        raise ConfigError(
            f"{origin}: {key} = {value!r}: {message}." if value != "" else f"{origin}: {key}: {message}."
        ) from error
