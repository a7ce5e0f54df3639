"""A file of limits is taken as it is meant, or refused with the lines that are wrong."""

from __future__ import annotations

import pytest

from mercato.contracts.tables.proposals import PriceLimit
from mercato.decisions.price_limits import Limits, parse
from mercato.errors import MercatoError


def limits(*lines: str) -> Limits:
    return parse("\r\n".join(lines).encode(), "limits.csv")


def of(found: Limits, product: int, store: int) -> tuple[float | None, float | None]:
    limit = found.of(product, store)
    assert isinstance(limit, PriceLimit)
    return limit.minimum_advertised, limit.ceiling


def test_a_stores_own_limit_goes_before_that_of_all_stores() -> None:
    found = limits(
        "product_id,store_id,minimum_advertised,ceiling", "1,,2.0,4", "1,367,,3.50", "2, 367 ,1,", ""
    )
    assert of(found, 1, 9) == (2.0, 4.0)
    assert of(found, 1, 367) == (2.0, 3.5)
    assert of(found, 2, 367) == (1.0, None)
    assert of(found, 2, 9) == of(found, 3, 367) == (None, None)


def test_columns_may_be_left_out_and_come_in_any_order() -> None:
    assert of(limits("\ufeffceiling,product_id", "3.5,1"), 1, 9) == (None, 3.5)
    assert of(limits("product_id,minimum_advertised", "1,2"), 1, 9) == (2.0, None)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "must have the columns product_id, and minimum_advertised or ceiling"),
        (("product_id,store_id", "1,2"), "it has product_id, store_id"),
        (("product_id,ceiling,map", "1,2,3"), "unknown columns: map"),
        (("product_id,ceiling,ceiling", "1,2,3"), "a column twice"),
        (("product_id,ceiling", "1,2", "2,cheap"), "line 3: ceiling is 'cheap', not US dollars"),
        (("product_id,ceiling", "1,0"), "line 2: ceiling is '0'"),
        (("product_id,ceiling", "1,nan"), "line 2: ceiling is 'nan'"),
        (("product_id,ceiling", "1,inf"), "line 2: ceiling is 'inf'"),
        (("product_id,ceiling", "x1,2"), "line 2: product_id is 'x1', not a whole number"),
        (("product_id,ceiling", ",2"), "line 2: product_id is missing"),
        (("product_id,store_id,ceiling", "1,-4,2"), "line 2: store_id is '-4'"),
        (("product_id,ceiling", "1,"), "line 2: neither minimum_advertised nor ceiling"),
        (("product_id,ceiling", "1,2,3"), "line 2: more cells than columns"),
        (("product_id,ceiling", "1,2", "1,3"), "line 3: the same product and store as line 2"),
        (
            ("product_id,minimum_advertised,ceiling", "1,3,2"),
            "line 2: minimum_advertised 3 is above ceiling 2",
        ),
        (
            ("product_id,store_id,minimum_advertised,ceiling", "1,,3,", "1,7,,2"),
            "line 3: minimum_advertised 3 is above ceiling 2",
        ),
        (
            ("product_id,ceiling", *["0,2"] * 8),
            "line 6: product_id is '0', not a whole number above 0; 3 more",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_lines(lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(MercatoError, match=r"^limits\.csv") as refused:
        limits(*lines)
    assert said in str(refused.value)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(MercatoError, match="not in UTF-8"):
        parse("product_id,ceiling\n1,2 €".encode("latin-1", "replace") + b"\xff", "limits.csv")
