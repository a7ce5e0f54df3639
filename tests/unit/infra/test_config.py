"""A wrong value of an environment gives one line that names the key, the value and what is allowed."""

from __future__ import annotations

import pytest

from infra.cdk.config import ConfigError, environments, load, parse

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/one"


@pytest.mark.parametrize("name", environments())
def test_every_environment_is_valid(name: str) -> None:
    assert load(name).name == name


def test_unknown_environment_names_those_there_are() -> None:
    with pytest.raises(
        ConfigError, match=r"^env = 'production' is unknown; allowed: dev, local, prod, stage\.$"
    ):
        load("production")


@pytest.mark.parametrize(
    "values",
    [
        {"search": {"enabled": True, "instances": 1}},
        {"search": {"enabled": True, "instances": 4}},
        {
            "search": {"enabled": True, "instances": 3},
            "network": {"availability_zones": ["us-east-1a", "us-east-1b", "us-east-1c"]},
        },
        {"search": {"instance_type": "m7g.large", "volume_gib": 101}},
    ],
)
def test_a_search_domain_that_aws_takes_is_allowed(values: dict[str, object]) -> None:
    assert parse({"name": "test", **values}, "test.toml").name == "test"


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        (
            {"network": {"cidr": "10.0.0.0/33"}},
            ("network.cidr", "10.0.0.0/33", "a private IPv4 block"),
        ),
        (
            {"network": {"nat_gateways": 0, "interface_endpoints": True}},
            ("network", "nat_gateways 0", "SQS and SageMaker", "allowed: 1 to 3"),
        ),
        (
            {"network": {"cidr": "8.8.0.0/16"}},
            ("network.cidr", "8.8.0.0/16", "a private IPv4 block"),
        ),
        (
            {"network": {"cidr": "10.0.0.0/16", "peers": ["10.0.128.0/20"]}},
            ("network", "10.0.0.0/16", "10.0.128.0/20", "allowed: disjoint"),
        ),
        (
            {"decisions": {"domain": "api.example", "certificate_arn": CERTIFICATE}},
            ("decisions", "domain is CloudFront's", "edge = true"),
        ),
        (
            {"network": {"availability_zones": ["eu-west-1a"] * 2}},
            ("eu-west-1a", "zones of us-east-1"),
        ),
        ({"lake": {"noncurrent_days": 0}}, ("lake.noncurrent_days", "0", "greater than or equal to 1")),
        ({"observability": {"log_days": 42}}, ("observability.log_days", "42", "30", "365")),
        ({"streaming": {"kafka_version": "2.8.1"}}, ("streaming.kafka_version", "2.8.1", "3.9.x.kraft")),
        ({"streaming": {"kind": "express"}}, ("express", "m7g")),
        (
            {"streaming": {"kind": "express", "broker_type": "m7g.large"}},
            ("availability_zones with 3 zones",),
        ),
        (
            {"models": {"demographics": "s3://shop/people.csv"}},
            ("models.demographics", "s3://shop/people.csv"),
        ),
        ({"processing": {"workers": 1}}, ("processing.workers", "1", "greater than or equal to 2")),
        (
            {"search": {"enabled": True, "instances": 3}},
            ("search.instances 3", "two zones", "allowed: 1, an even number"),
        ),
        ({"search": {"volume_gib": 101}}, ("search", "volume_gib 101", "t3.small", "allowed: 10 to 100")),
        ({"netwrok": {}}, ("netwrok", "not permitted")),
        ({"account": "12"}, ("account", "'12'")),
    ],
)
def test_wrong_value_is_named_in_one_line(values: dict[str, object], parts: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as raised:
        parse({"name": "test", **values}, "test.toml")
    message = str(raised.value)
    assert "\n" not in message
    assert all(part in message for part in ("test.toml", *parts)), message
