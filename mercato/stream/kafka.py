"""How every Kafka client of Mercato reaches its broker."""

from __future__ import annotations

from typing import Any

from mercato.settings import Settings


def client_config(settings: Settings) -> dict[str, Any]:
    """What every confluent-kafka client is configured with; each adds its own.

    Raises:
        mercato.settings.NotRunningError: Kafka has no address.
    """
    where = {"bootstrap.servers": settings.require("kafka_bootstrap")}
    if settings.kafka_auth == "none":
        return where
    return where | {"security.protocol": "SASL_SSL", "sasl.mechanisms": "OAUTHBEARER", "oauth_cb": _iam_token}


def _iam_token(_config: str) -> tuple[str, float]:
    """A token that MSK takes for this process's role, and when it expires (seconds since 1970)."""
    import boto3
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    token, expires_ms = MSKAuthTokenProvider.generate_auth_token(boto3.Session().region_name)
    return token, expires_ms / 1000
