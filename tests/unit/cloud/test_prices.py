"""Price files: dated, sourced, used; and usage files: wrong values are named in one line."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from infra.cdk import sections
from mercato.cloud.cost.estimate import estimate
from mercato.cloud.cost.prices import FOLDER, STALE, PriceError, PriceList, load, newest
from mercato.cloud.cost.usage import Usage, UsageError
from mercato.cloud.cost.usage import load as load_usage
from mercato.cloud.template import Assembly

_HEAD = 'region = "us-east-1"\nlooked_up = 2026-01-01\nsources = {book = "a book"}\n'


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_every_price_has_a_unit_a_page_a_date_and_a_source_or_says_that_it_has_none(file: Path) -> None:
    prices = load(file)
    assert file.stem == f"{prices.region}-{prices.looked_up:%Y-%m}"
    for key, price in prices.prices.items():
        assert price.unit, key
        assert price.page.endswith(" pricing"), key
        assert price.looked_up <= prices.looked_up, key
    used = {name for price in prices.prices.values() for name in price.source.split(", ") if name}
    assert used == set(prices.sources)


def test_every_price_is_used(assembly: Assembly, prices: PriceList, usage: Usage) -> None:
    # Without the content delivery network the gateway pays for the way out.
    direct = Assembly(assembly.region, tuple(each for each in assembly.resources if each.name != "Cdn"))
    items = (*estimate(assembly, prices, usage).items, *estimate(direct, prices, usage).items)
    assert {each.price for each in items} == set(prices.prices)


@pytest.mark.parametrize(
    ("section", "field", "key", "name"),
    [
        (sections.Streaming, "broker_type", "msk.broker", "kafka.{}"),
        (sections.Streaming, "broker_type", "msk.broker", "express.{}"),
        (sections.Airflow, "environment_class", "airflow.environment", "{}"),
        (sections.Airflow, "environment_class", "airflow.worker", "{}"),
        (sections.Features, "node_type", "cache.valkey-node", "cache.{}"),
        (sections.Search, "instance_type", "opensearch.node", "{}.search"),
    ],
)
def test_every_size_that_the_configuration_offers_has_a_price(
    prices: PriceList, section: type[BaseModel], field: str, key: str, name: str
) -> None:
    offered = [name.format(size) for size in get_args(section.model_fields[field].annotation)]
    assert offered
    for size in offered:
        # MSK has no express broker of that size, and the configuration refuses it.
        if size != "express.t3.small":
            assert prices.rate(key, size).usd > 0


def test_sizes_without_a_source_are_marked(prices: PriceList) -> None:
    assert not prices.rate("msk.broker", "express.m7g.large").assumed
    assert prices.rate("msk.broker", "express.m7g.2xlarge").assumed
    assert prices.rate("cloudwatch.composite-alarm").assumed


@pytest.mark.parametrize(
    ("key", "size", "named"),
    [
        ("msk.broker", "kafka.x9.large", "kafka.x9.large"),
        ("tea.cup", None, "tea.cup"),
        ("kms.key", "big", "big"),
    ],
)
def test_an_unknown_price_is_named(prices: PriceList, key: str, size: str | None, named: str) -> None:
    with pytest.raises(PriceError, match=named):
        prices.rate(key, size)


def test_prices_grow_stale(prices: PriceList) -> None:
    assert not prices.is_stale(prices.looked_up + STALE)
    assert prices.is_stale(prices.looked_up + STALE + timedelta(days=1))


def test_the_newest_file_of_the_region_is_taken(tmp_path: Path) -> None:
    for name in ("us-east-1-2025-12", "us-east-1-2026-02", "eu-west-1-2026-11"):
        (tmp_path / f"{name}.toml").write_text(_HEAD)
    assert newest("us-east-1", tmp_path).file.stem == "us-east-1-2026-02"
    assert newest("us-east-1", tmp_path).looked_up == date(2026, 1, 1)
    with pytest.raises(
        PriceError, match=r"no prices for eu-north-1, only for eu-west-1, us-east-1: .*--prices"
    ):
        newest("eu-north-1", tmp_path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("region = ", "cannot be read"),
        ('region = "us-east-1"', "looked_up"),
        (_HEAD + '[a]\npage = "A pricing"\n[a.b]\nunit = "hour"\nsource = "book"', "a.b: .*usd or sizes"),
        (_HEAD + '[a]\npage = "A pricing"\n[a.b]\nunit = "hour"\nusd = 1', "a.b: .*source, or assumed"),
        (_HEAD + '[a]\npage = "A pricing"\n[a.b]\nunit = "hour"\nusd = 1\nsource = "film"', "'film'"),
        (_HEAD + '[a]\npage = "A pricing"\n[a.b]\nunit = "hour"\nusd = -1\nsource = "book"', "a.b.usd"),
    ],
)
def test_a_wrong_price_file_is_refused_in_one_line(tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(content)
    with pytest.raises(PriceError, match=named) as raised:
        load(file)
    assert "\n" not in str(raised.value)


def test_a_usage_file_changes_what_it_names_and_options_win(tmp_path: Path) -> None:
    file = tmp_path / "usage.toml"
    file.write_text("decisions = 5\nlake_gb = 7\n")
    used = load_usage(file, {"lake_gb": 9, "batch_minutes": None})
    assert (used.decisions, used.lake_gb) == (5, 9)
    assert used.batch_minutes == load_usage().batch_minutes


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("decisions = -1", "usage.toml: decisions = -1.*greater than or equal to 0"),
        ("event_batch = 0", "usage.toml: event_batch = 0.*greater than 0"),
        ("descisions = 1", "usage.toml: descisions = 1.*not permitted"),
        ("decisions = nan", "usage.toml: decisions"),
        ("decisions =", "cannot be read"),
    ],
)
def test_a_wrong_usage_file_is_refused_in_one_line(tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "usage.toml"
    file.write_text(content)
    with pytest.raises(UsageError, match=named) as raised:
        load_usage(file)
    assert "\n" not in str(raised.value)
