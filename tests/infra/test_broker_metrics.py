"""Managed Prometheus and Grafana: whatever a rule or panel names is what a real broker or our code tells."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from infra.artifacts.artifact import ROOT
from lambdas import embedded_metrics
from mercato.local import kafka
from mercato.local.ports import free_port
from tests.conftest import JARS
from tests.infra.templates import resources, text
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

METRICS = ROOT / "infra" / "cdk" / "metrics"
TOPIC = "clickstream.v1"
#: A metric and its label `name`, by which Kafka tells apart what it counts.
Series = tuple[str, str]


def rules() -> dict[str, str]:
    """Expression of each recorded metric."""
    groups = yaml.safe_load((METRICS / "rules.yaml").read_text())["groups"]
    return {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}


def targets(source: str) -> list[dict[str, Any]]:
    """What the dashboard's panels ask of a data source."""
    dashboard = json.loads((METRICS / "dashboard.json").read_text())
    return [
        target
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
        if target["datasource"]["type"] == source
    ]


def asked(expression: str) -> Iterator[Series]:
    """What an expression selects; a recorded metric has no label `name`."""
    found: list[promql.VectorSelector] = []

    def visit(part: promql.Expr) -> None:
        if isinstance(part, promql.VectorSelector):
            found.append(part)

    promql.walk(promql.parse(expression), visit)
    for each in found:
        names = [matcher.value for matcher in each.matchers.matchers if matcher.name == "name"]
        yield str(each.name), names[0] if names else ""


@functools.cache
def scraped() -> dict[str, Any]:
    """The collector's configuration in production."""
    (scraper,) = resources("prod", "AWS::APS::Scraper").values()
    blob = scraper["Properties"]["ScrapeConfiguration"]["ConfigurationBlob"]["Fn::Base64"]
    found: dict[str, Any] = json.loads(text(blob))["scrape_configs"][0]
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> set[Series]:
    """What a real broker tells through the exporter that MSK has, with the rules that MSK has: none."""
    folder: Path = tmp_path_factory.mktemp("told")
    port, controller, exporter = free_port(), free_port(), free_port()
    settings = folder / "exporter.yaml"
    settings.write_text("rules: [{pattern: '.*'}]\n")
    (agent,) = (JARS / "kafka").glob("jmx_prometheus_javaagent-*.jar")
    java, *rest = kafka.prepare(folder / "kafka", JARS, port, controller)
    with (folder / "log").open("wb") as log:
        broker = subprocess.Popen(
            [java, f"-javaagent:{agent}=127.0.0.1:{exporter}:{settings}", *rest], stdout=log, stderr=log
        )
    try:
        address = f"127.0.0.1:{port}"
        eventually(lambda: kafka.healthy(address, folder / "kafka"), 120)
        client = {"bootstrap.servers": address}
        # A topic that has had an event, as its own series begin with one.
        admin = AdminClient(client)
        admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result()
        producer = Producer(client)
        producer.produce(TOPIC, b"{}")
        assert producer.flush(30) == 0
        with urllib.request.urlopen(f"http://127.0.0.1:{exporter}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
    finally:
        broker.terminate()
        broker.wait(30)
    found = (re.match(r'(\w+)\{(?:.*?\b)?name="([^"]*)"', line) for line in lines)
    return {(each[1], each[2]) for each in found if each}


def test_what_the_collector_keeps_is_what_a_broker_tells(told: set[Series]) -> None:
    (rule,) = scraped()["metric_relabel_configs"]
    assert rule["source_labels"] == ["__name__", "name"]
    kept = {each for each in told if re.fullmatch(rule["regex"], ";".join(each))}
    listed = re.findall(r"(\w+);\(([^)]*)\)", rule["regex"])
    assert kept == {(metric, name) for metric, names in listed for name in names.split("|")}


def test_rules_and_panels_ask_for_what_is_kept_and_for_nothing_else() -> None:
    (rule,) = scraped()["metric_relabel_configs"]
    recorded = rules()
    panels = [target["expr"] for target in targets("prometheus")]
    for expression in (*recorded.values(), *panels):
        for metric, name in asked(expression):
            assert metric in recorded or re.fullmatch(rule["regex"], f"{metric};{name}"), expression
    shown = {metric for expression in (*recorded.values(), *panels) for metric, _ in asked(expression)}
    assert set(recorded) <= shown, "a rule that nothing reads"


def test_panels_of_cloudwatch_ask_for_what_our_functions_tell() -> None:
    told = {embedded_metrics.FALLBACKS, embedded_metrics.EVENTS, embedded_metrics.FEATURE_AGE}
    functions = {
        each["Properties"]["FunctionName"]
        for each in resources("prod", "AWS::Lambda::Function").values()
        if "FunctionName" in each["Properties"]
    }
    found = targets("cloudwatch")
    assert {each["metricName"] for each in found} == told
    for each in found:
        assert each["namespace"] == embedded_metrics.NAMESPACE
        (dimension,) = each["dimensions"].items()
        assert dimension[0] == embedded_metrics.DIMENSION
        assert dimension[1].replace("$environment", "prod") in functions


def test_the_collector_asks_every_broker() -> None:
    (cluster,) = resources("prod", "AWS::MSK::Cluster").values()
    exporter = cluster["Properties"]["OpenMonitoring"]["Prometheus"]["JmxExporter"]
    assert exporter == {"EnabledInBroker": True}
    (brokers,) = scraped()["dns_sd_configs"]
    assert [name.partition(".")[0] for name in brokers["names"]] == [
        f"b-{number + 1}" for number in range(cluster["Properties"]["NumberOfBrokerNodes"])
    ]
    opened = [
        each["Properties"]
        for each in resources("prod", "AWS::EC2::SecurityGroupIngress").values()
        if each["Properties"].get("FromPort") == brokers["port"]
    ]
    assert len(opened) == 1


def test_only_where_it_is_paid_for() -> None:
    types = ("AWS::APS::Workspace", "AWS::APS::Scraper", "AWS::Grafana::Workspace")
    assert not resources("dev", *types)
    assert len(resources("prod", *types)) == len(types)
    (cluster,) = resources("dev", "AWS::MSK::Cluster").values()
    assert "OpenMonitoring" not in cluster["Properties"]
