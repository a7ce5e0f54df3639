"""Rulesets say what the contracts say."""

from __future__ import annotations

import re

import pytest

from glue_jobs.quality import ruleset
from mercato.contracts.tables import features, gold, silver
from mercato.contracts.tables.base import Table
from mercato.lake.maintenance import ALL_TABLES

_NAME = r'"\w+"'
_WHERE = r'( where "\w+ is not null")?'
#: The rule forms of the DQDL reference that are used here.
_FORMS = (
    r"RowCount > 0",
    r'CustomSql "select count\(\*\) from primary where \w+ > current_timestamp\(\) - interval \d+ days" > 0',
    rf"IsPrimaryKey {_NAME}( {_NAME})*",
    rf"IsComplete {_NAME}",
    rf"ColumnValues {_NAME} (>|>=|<|<=) -?[\d.]+{_WHERE}",
    rf"ColumnValues {_NAME} in \[{_NAME}(, {_NAME})*\]{_WHERE}",
    rf"ColumnLength {_NAME} (>=|<=) \d+{_WHERE}",
)


def rules(table: Table) -> list[str]:
    body = ruleset(table).removeprefix("Rules = [\n").removesuffix("\n]")
    return [line.strip().removesuffix(",") for line in body.splitlines()]


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.name)
def test_every_rule_has_a_form_of_the_language_and_names_a_column(table: Table) -> None:
    for rule in rules(table):
        assert any(re.fullmatch(form, rule) for form in _FORMS), rule
        if rule.startswith(("Is", "Column")):
            named = rule.split(" where ")[0].split(" in ")[0]
            assert set(re.findall(r'"(\w+)"', named)) <= set(table.c)


def test_ranges_choices_and_keys_come_from_the_contract() -> None:
    clicks, t = rules(silver.CLICKSTREAM), silver.TRANSACTIONS.c
    actions = ", ".join(
        f'"{each}"' for each in ("add_to_cart", "checkout", "remove_from_cart", "search", "view")
    )
    assert f'ColumnValues "{silver.CLICKSTREAM.c.action}" in [{actions}]' in clicks
    lines = rules(silver.TRANSACTIONS)
    assert f'ColumnValues "{t.week}" <= 9999' in lines
    assert f'IsPrimaryKey "{t.event_id}"' in lines
    assert f'IsComplete "{t.sales_value}"' in lines


def test_a_column_that_may_be_null_is_checked_only_where_it_is_not() -> None:
    c = silver.CLICKSTREAM.c
    clicks = rules(silver.CLICKSTREAM)
    assert f'ColumnValues "{c.store_id}" > 0 where "{c.store_id} is not null"' in clicks
    assert f'IsComplete "{c.store_id}"' not in clicks
    assert f'IsComplete "{gold.CUSTOMER_360.c.mean_gap_days}"' not in rules(gold.CUSTOMER_360)


def test_lists_have_no_rules_and_an_empty_quarantine_is_good() -> None:
    assert not any(
        features.HOUSEHOLD_HISTORY.c.products in rule for rule in rules(features.HOUSEHOLD_HISTORY)
    )
    assert "RowCount > 0" not in rules(silver.QUARANTINE)
    assert "RowCount > 0" in rules(gold.BASKET_LINES)
