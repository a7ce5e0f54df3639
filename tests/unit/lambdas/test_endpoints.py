"""The settings alone choose how the model and Kafka are reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambdas.api.endpoints import Container, SageMakerEndpoint, fraud_endpoint, ranker_endpoint
from mercato.settings import NotRunningError, Settings
from mercato.stream.kafka import client_config


def test_a_named_endpoint_wins_over_a_containers_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    local = Settings(home=tmp_path, scorer_url="http://127.0.0.1:1", fraud_scorer_url="http://127.0.0.1:2")
    named = local.model_copy(update={"scorer_endpoint": "recommend", "fraud_scorer_endpoint": "fraud"})
    for endpoint in (ranker_endpoint, fraud_endpoint):
        assert isinstance(endpoint(local), Container)
        assert isinstance(endpoint(named), SageMakerEndpoint)


def test_kafka_is_asked_by_iam_only_where_settings_say_so(tmp_path: Path) -> None:
    plain = Settings(home=tmp_path, kafka_bootstrap="b:9098")
    assert client_config(plain) == {"bootstrap.servers": "b:9098"}
    config = client_config(plain.model_copy(update={"kafka_auth": "iam"}))
    assert (config["security.protocol"], config["sasl.mechanisms"]) == ("SASL_SSL", "OAUTHBEARER")
    with pytest.raises(NotRunningError):
        client_config(Settings(home=tmp_path))
