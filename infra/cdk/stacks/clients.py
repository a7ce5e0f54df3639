"""Variables by which a function finds the stores, as `mercato.settings` reads them."""

from __future__ import annotations

from infra.cdk.config import Config
from infra.cdk.stacks.features import FeaturesStack
from infra.cdk.stacks.streaming import StreamingStack

#: The only place that a function may write to.
_HOME = {"MERCATO_HOME": "/tmp/mercato"}


def kafka_environment(config: Config, streaming: StreamingStack) -> dict[str, str]:
    """The brokers, asked as the function's role; beside an emulator, a broker that asks for nothing."""
    if address := config.engines.kafka_bootstrap:
        return {**_HOME, "MERCATO_KAFKA_BOOTSTRAP": address}
    return {**_HOME, "MERCATO_KAFKA_BOOTSTRAP": streaming.bootstrap, "MERCATO_KAFKA_AUTH": "iam"}


def store_environment(config: Config, features: FeaturesStack) -> dict[str, str]:
    """The online store and the secret of its user; beside an emulator, a server without one."""
    if address := config.engines.redis_url:
        return {**_HOME, "MERCATO_REDIS_URL": address}
    secret = features.secret.secret_arn
    return {**_HOME, "MERCATO_REDIS_URL": features.url, "MERCATO_REDIS_SECRET_ARN": secret}
