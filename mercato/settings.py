"""Where everything is: one typed object, filled from `MERCATO_*` variables.

On one machine the supervisor writes the addresses of the engines it started to
`{home}/run/endpoints.json`; a variable of the environment wins over that file.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mercato.errors import MercatoError

Endpoint = Literal[
    "kafka_bootstrap",
    "redis_url",
    "mlflow_uri",
    "scorer_url",
    "fraud_scorer_url",
    "api_url",
    "admin_url",
    "opensearch_url",
]

_SERVICE_OF: dict[Endpoint, str] = {
    "kafka_bootstrap": "kafka",
    "redis_url": "redis",
    "mlflow_uri": "mlflow",
    "scorer_url": "scorer",
    "fraud_scorer_url": "fraud-scorer",
    "api_url": "api",
    "admin_url": "admin",
    "opensearch_url": "opensearch",
}


class NotRunningError(MercatoError):
    """A service whose address is needed has none."""


class Settings(BaseSettings):
    """Settings of one Mercato.

    Attributes:
        home: folder for all local state.
        lake_uri: root of the Delta lake; `{home}/lake` unless set.
        engine: `sail`, `spark` or a Spark Connect address `sc://host:port`.
        jars_dir: folder with the `kafka/`, `spark/` and `flink/` jars; `{home}/jars` unless set.
        topic_prefix: put before every Kafka topic name, to share one broker.
        kafka_auth: how Kafka knows who asks: `none`, or `iam` (MSK, over TLS, as this process's AWS role).
        feature_registry: Feast's registry, a file or `s3://` object; a file of `home` unless set.
        redis_secret_arn: secret of the Redis user, JSON with `username` and `password`.
        opensearch_auth: how OpenSearch knows who asks: `none`, or `iam` (on AWS, as this process's role).
        opensearch_index: alias of the product index, to share one OpenSearch.
        scorer_endpoint: SageMaker endpoint of the ranker; overrides `MERCATO_SCORER_URL`.
        fraud_scorer_endpoint: SageMaker endpoint of the fraud model; overrides `MERCATO_FRAUD_SCORER_URL`.
        capture_percent: share of the requests to models on this machine that is kept, for `mercato drift`.
        weather_url: feed of the weather at the stores.
        competitor_prices_url: feed of competitors' prices.
        feeds_secret_arn: secret of the feeds' bearer tokens, JSON by the feed's name.
        sign_in_discovery_url: OpenID Connect's discovery document of where people sign in to the pages of the
            admin panel; without it nobody has to. Programs' routes are guarded by API Gateway alone.
        sign_in_client_id: the panel's client there.
        session_secret_arn: secret with which the panel's session cookies are signed.
        kafka_bootstrap: address of Kafka. Default for this and all below: the address of what `mercato up`
            started.
        redis_url: address of the online features.
        mlflow_uri: address of the experiment tracking and model registry.
        scorer_url: address of the ranker's container.
        fraud_scorer_url: address of the fraud model's container.
        api_url: address of the decision API.
        admin_url: address of the admin panel's service.
        opensearch_url: address of the product search.
    """

    # A variable that is set to nothing is not set: else an empty MERCATO_HOME would be the current folder.
    model_config = SettingsConfigDict(env_prefix="MERCATO_", env_ignore_empty=True, frozen=True)

    home: Path = Path("var")
    lake_uri: str = ""
    engine: str = "sail"
    jars_dir: Path = Path()
    topic_prefix: str = ""
    kafka_auth: Literal["none", "iam"] = "none"
    feature_registry: str | None = None
    redis_secret_arn: str | None = None
    opensearch_auth: Literal["none", "iam"] = "none"
    opensearch_index: str = "products"
    scorer_endpoint: str | None = None
    fraud_scorer_endpoint: str | None = None
    capture_percent: Annotated[int, Field(ge=0, le=100)] = 10
    weather_url: str | None = None
    competitor_prices_url: str | None = None
    feeds_secret_arn: str | None = None
    sign_in_discovery_url: str | None = None
    sign_in_client_id: str | None = None
    session_secret_arn: str | None = None
    kafka_bootstrap: str | None = None
    redis_url: str | None = None
    mlflow_uri: str | None = None
    scorer_url: str | None = None
    fraud_scorer_url: str | None = None
    api_url: str | None = None
    admin_url: str | None = None
    opensearch_url: str | None = None

    def model_post_init(self, _context: object) -> None:
        """Fill what follows from `home`."""
        # Resolved, because it is compared with what engines say of themselves.
        object.__setattr__(self, "home", self.home.resolve())
        if not self.lake_uri:
            object.__setattr__(self, "lake_uri", str(self.home / "lake"))
        if self.jars_dir == Path():
            object.__setattr__(self, "jars_dir", self.home / "jars")

    @property
    def captures(self) -> Path:
        """Folder with a folder of kept requests for each model."""
        return self.home / "captures"

    @property
    def endpoints_file(self) -> Path:
        """Where the supervisor writes the addresses of what it started."""
        return self.home / "run" / "endpoints.json"

    def endpoint(self, name: Endpoint) -> str | None:
        """Address of a service, `None` if it has not been started."""
        value: str | None = getattr(self, name)
        if value is None and self.endpoints_file.exists():
            try:
                value = json.loads(self.endpoints_file.read_text()).get(name)
            except (ValueError, AttributeError) as error:
                raise MercatoError(
                    f"{self.endpoints_file} is broken ({error}): delete it; `mercato up` writes it anew."
                ) from error
        return value

    def require(self, name: Endpoint) -> str:
        """Address of a service.

        Raises:
            NotRunningError: it has none; the message says how to start it.
        """
        value = self.endpoint(name)
        if value is None:
            service = _SERVICE_OF[name]
            raise NotRunningError(
                f"{service} is not running: start it with `mercato up {service}`, "
                f"or set MERCATO_{name.upper()}."
            )
        return value


@functools.cache
def get_settings() -> Settings:
    """The process's settings, read once.

    Raises:
        MercatoError: a variable has a value that it cannot have.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"MERCATO_{each['loc'][0]}".upper() + f": {each['msg']}" for each in error.errors())
        raise MercatoError(f"{wrong}.") from error
