"""What resources cost: figures worked out by hand, and what must hold for any usage."""

from __future__ import annotations

import re
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.artifacts.catalog import ARTIFACTS
from lambdas.embedded_metrics import EVENTS, FALLBACKS, FEATURE_AGE, LATENCY, LISTS, REFUSED
from mercato.cloud.cost.estimate import LineItem, estimate, next_million
from mercato.cloud.cost.free import BY_CDK, FREE
from mercato.cloud.cost.prices import PriceList, newest
from mercato.cloud.cost.report import assumptions
from mercato.cloud.cost.rules import RULES, decisions
from mercato.cloud.cost.usage import Usage, load
from mercato.cloud.template import Assembly, Resource
from tests.infra.templates import made_types

#: Not counted as traffic: more of them makes something else less.
_DIVISORS = ("requests_per_token", "event_batch")
#: Has a rule, because it costs something when set so.
_FREE_BY_DEFAULT = {"AWS::Lambda::EventSourceMapping"}
_DEFAULTS = load().model_dump()
_AMOUNT = st.floats(min_value=1, max_value=1e9)
_USAGES = st.builds(Usage, **dict.fromkeys(_DEFAULTS, _AMOUNT))


def _line(items: tuple[LineItem, ...], resource: str, what: str) -> LineItem:
    (found,) = [each for each in items if (each.resource, each.what) == (resource, what)]
    return found


def test_a_type_is_either_free_or_has_a_rule() -> None:
    assert not FREE & set(RULES)


def test_what_is_free_or_has_a_rule_is_what_the_environments_have() -> None:
    assert (FREE - set(BY_CDK)) | set(RULES) == made_types()


def test_functions_go_by_the_names_of_artifacts_that_there_are() -> None:
    assert {*decisions.CALLS, *decisions.TELLING} <= set(ARTIFACTS)


def test_the_metrics_of_functions_are_those_that_there_are() -> None:
    told = {LISTS, FALLBACKS, EVENTS, REFUSED, LATENCY, FEATURE_AGE}
    assert {metric for metrics in decisions.TELLING.values() for metric in metrics} == told


def test_every_rule_is_tried_on_the_sample(assembly: Assembly, prices: PriceList, usage: Usage) -> None:
    assert set(RULES) <= set(assembly.counts)
    done = estimate(assembly, prices, usage)
    assert done.not_priced == ()
    assert set(RULES) - _FREE_BY_DEFAULT == {
        each.type
        for each in assembly.resources
        if any((item.stack, item.resource) == (each.stack, each.name) for item in done.items)
    }


@pytest.mark.parametrize(
    ("resource", "what", "monthly", "idle"),
    [
        ("Nat", "NAT gateway", 730 * 0.045, 730 * 0.045),
        ("Nat", "NAT gateway data", 100 * 0.045, 0),
        ("Kms", "interface endpoint", 3 * 730 * 0.01, 3 * 730 * 0.01),
        ("Express", "brokers", 3 * 730 * 0.408, 3 * 730 * 0.408),
        ("Express", "events written", 50 * 500 * 730 * 3600 / 1e9 * 0.01, 0),
        ("Express", "broker metrics", (3 * 20 + 3 * 8 + 4 * 2) * 0.30, (3 * 20 + 3 * 8 + 4 * 2) * 0.30),
        ("Provisioned", "broker volumes", 2 * 50 * 0.10, 2 * 50 * 0.10),
        ("Sessions", "processing units", 3 * 730 * 0.11, 3 * 730 * 0.11),
        ("Bronze", "streaming jobs", 0.5 * 730 * 0.44, 0.5 * 730 * 0.44),
        ("Gold", "batch jobs", 10 * 30 * 3 / 60 * 0.44, 10 * 30 * 1 / 60 * 0.44),
        ("Hourly", "batch jobs", 0.5 * 730 * 2 / 60 * 0.44, 0.5 * 730 / 60 * 0.44),
        ("Airflow", "more containers", 2 * 730 * 0.055, 2 * 730 * 0.055),
        ("Poll", "scheduled calls", 730 * 4 / 1e6, 730 * 4 / 1e6),
        ("Nodes", "nodes", 2 * 730 * 0.0256, 2 * 730 * 0.0256),
        ("Nodes", "snapshots", 15 * 0.085, 0),
        ("Search", "volumes", 3 * 20 * 0.122, 3 * 20 * 0.122),
        ("Writer", "capacity units", 2.5 * 730 * 0.1608, 730 * 0.1608),
        ("Versions", "endpoint instances", 3 * 730 * 0.102, 3 * 730 * 0.102),
        ("Api", "function calls", 10 * 0.20, 0),
        ("Api", "function time", 1e7 * 0.06 * 0.0000133334, 0),
        ("Api", "traces", (2_628_000 + (1e7 - 2_628_000) / 20) / 1e6 * 5, 0),
        ("Api", "metrics of its own", 4 * 0.30, 0),
        ("Collector", "metrics of its own", 3 * 0.30, 0),
        ("Stage", "metrics by route", 2 * 6 * 0.30, 0),
        ("Api", "logs written", 10 * 0.50, 0),
        ("Api", "logs kept", 10 * 0.15 * 30 / (730 / 24) * 0.03, 0),
        ("Logs", "logs written", 0.5 * 0.50, 0.5 * 0.50),
        ("Raw", "objects", 250 * 0.023, 0),
        ("Raw", "writes", 2 * 730 * 60 * 4 / 1000 * 0.005 / 2, 0),
        ("Pages", "objects", 0.023, 0),
        ("Cdn", "answers to the internet", 60 * 0.085, 0),
        ("Http", "requests", 10 + 50 * 730 * 3600 / 100 / 1e6, 0),
        ("Firewall", "web ACL rules", 3.0, 3.0),
        ("Machine", "machine tokens", 2.25, 0),
        ("Alarm", "alarms", 0.20, 0.20),
    ],
)
def test_figures_worked_out_by_hand(
    assembly: Assembly,
    prices: PriceList,
    usage: Usage,
    resource: str,
    what: str,
    monthly: float,
    idle: float,
) -> None:
    item = _line(estimate(assembly, prices, usage).items, resource, what)
    assert item.monthly == pytest.approx(monthly)
    assert item.idle == pytest.approx(idle)


def test_a_pipeline_is_priced_step_by_step(assembly: Assembly, prices: PriceList, usage: Usage) -> None:
    steps = [each for each in estimate(assembly, prices, usage).items if each.resource == "Training"]
    hours = 4 * 30 / 60
    assert [each.monthly for each in steps] == pytest.approx([hours * 2 * 0.23, hours * 0.461])


def test_helpers_of_the_deploy_and_sign_in_of_people_cost_nothing(
    assembly: Assembly, prices: PriceList, usage: Usage
) -> None:
    billed = {each.resource for each in estimate(assembly, prices, usage).items}
    assert not {"Helper", "Browser", "S3", "Vpc", "Clicks"} & billed


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (Resource("s", "New", "AWS::Quantum::Computer", {}), "no rule"),
        (Resource("s", "Big", "AWS::MWAA::Environment", {"EnvironmentClass": "mw1.huge"}), "mw1.huge"),
        (Resource("s", "Open", "AWS::Glue::Job", {"WorkerType": {"Ref": "Size"}}), "WorkerType"),
        (Resource("s", "Odd", "AWS::Glue::Job", {"WorkerType": "Z.9X", "NumberOfWorkers": 2}), "Z.9X"),
        (
            Resource(
                "s",
                "Lost",
                "AWS::Neptune::DBInstance",
                {"DBInstanceClass": "db.serverless", "DBClusterIdentifier": {"Ref": "X"}},
            ),
            "refers",
        ),
        (
            Resource(
                "s",
                "Poll",
                "AWS::Lambda::EventSourceMapping",
                {"ProvisionedPollerConfig": {"MinimumPollers": 1}},
            ),
            "pollers",
        ),
        (Resource("s", "When", "AWS::Scheduler::Schedule", {"ScheduleExpression": "at(2026)"}), "at(2026)"),
        (Resource("s", "Far", "AWS::SageMaker::Pipeline", {"PipelineDefinition": {}}), "definition"),
    ],
)
def test_what_cannot_be_priced_is_listed(
    prices: PriceList, usage: Usage, resource: Resource, reason: str
) -> None:
    done = estimate(Assembly("us-east-1", (resource,)), prices, usage)
    assert done.items == ()
    (listed,) = done.not_priced
    assert (listed.resource, listed.type) == (resource.name, resource.type)
    assert reason in listed.reason


@given(used=_USAGES)
@settings(max_examples=50, deadline=None)
def test_sums_hold_and_idle_is_never_more(assembly: Assembly, used: Usage) -> None:
    done = estimate(assembly, newest("us-east-1"), used)
    assert all(0 <= each.idle <= each.monthly for each in done.items)
    assert done.total.idle <= done.total.monthly
    assert done.total.monthly == pytest.approx(fsum(each.quantity * each.unit_price for each in done.items))
    assert done.total.monthly == pytest.approx(fsum(done.of(stack).monthly for stack in done.stacks))
    assert done.total.idle == pytest.approx(fsum(done.of(stack).idle for stack in done.stacks))


@given(used=_USAGES, factor=st.floats(min_value=1, max_value=100))
@settings(max_examples=25, deadline=None)
def test_more_of_anything_never_costs_less(assembly: Assembly, used: Usage, factor: float) -> None:
    prices = newest("us-east-1")
    before = estimate(assembly, prices, used).total
    for name in set(_DEFAULTS) - set(_DIVISORS):
        more = used.model_copy(update={name: getattr(used, name) * factor})
        after = estimate(assembly, prices, more).total
        assert after.monthly >= before.monthly * (1 - 1e-12), name
        assert after.idle >= before.idle * (1 - 1e-12), name


@pytest.mark.parametrize("name", _DEFAULTS)
def test_an_assumption_moves_just_the_items_whose_basis_names_it(
    assembly: Assembly, prices: PriceList, usage: Usage, name: str
) -> None:
    before = estimate(assembly, prices, usage)
    after = estimate(assembly, prices, usage.model_copy(update={name: getattr(usage, name) * 3}))
    moved = {(a.resource, a.what) for a, b in zip(before.items, after.items, strict=True) if a != b}
    named = {(each.resource, each.what) for each in before.items if re.search(rf"\b{name}\b", each.basis)}
    assert moved
    assert moved == named
    assert name in assumptions(before)


def test_a_million_decisions_share_all_costs_but_one_more_needs_only_its_own(
    assembly: Assembly, prices: PriceList, usage: Usage
) -> None:
    done = estimate(assembly, prices, usage)
    assert done.total.per_million(usage.decisions) == pytest.approx(done.total.monthly / 10)
    assert done.total.per_million(0) is None
    gateway = Assembly("us-east-1", (Resource("s", "Http", "AWS::ApiGatewayV2::Api", {}),))
    assert next_million(gateway, prices, usage) == pytest.approx(1.00 + 6 * 0.09)


def test_without_a_distribution_the_gateway_pays_for_the_way_out(
    assembly: Assembly, prices: PriceList, usage: Usage
) -> None:
    direct = tuple(each for each in assembly.resources if each.name != "Cdn")
    items = estimate(Assembly(assembly.region, direct), prices, usage).items
    assert _line(items, "Http", "answers to the internet").monthly == pytest.approx(60 * 0.09)
