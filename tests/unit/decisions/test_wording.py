"""Till text in readable case."""

from __future__ import annotations

import pytest

from mercato.decisions.aisles import Aisle, aisle
from mercato.decisions.wording import days_ago, department_name, in_sentence, ordinal, product_name, size_name


@pytest.mark.parametrize(
    ("product_type", "category", "name"),
    [
        ("FLUID MILK WHITE ONLY", "FLUID MILK PRODUCTS", "Milk"),
        ("BANANAS", "TROPICAL FRUIT", "Bananas"),
        ("LEAN", "BEEF", "Beef, lean"),
        ("POTATOES RUSSET (BULK&BAG)", "POTATOES", "Potatoes russet"),
        ("FRZN BAGGED VEGETABLES - PLAIN", None, "Frozen bagged vegetables, plain"),
        ("BBQ SAUCE", None, "BBQ sauce"),
        ("TV/MOVIE-MAGAZINE", "MAGAZINE", "TV, movie magazine"),
        ("VENDOR SIZE/SINGLE SERVE COOKI", None, "Vendor size, single serve cookies"),
        (None, "CHEESE", "Cheese"),
        (None, None, "Product 7"),
    ],
)
def test_product_names(product_type: str | None, category: str | None, name: str) -> None:
    assert product_name(product_type, category, 7) == name


@pytest.mark.parametrize(
    ("department", "category", "expected"),
    [
        ("GROCERY", "FLUID MILK PRODUCTS", Aisle.DAIRY),
        ("GROCERY", "SOUP", Aisle.PANTRY),
        ("MEAT-PCKGD", "BACON", Aisle.MEAT),
        ("GROCERY", "FRZN MEAT/MEAT DINNERS", Aisle.FROZEN),
        ("DRUG GM", "CANDY - CHECKLANE", Aisle.SNACKS),
        ("DRUG GM", "HAIR CARE PRODUCTS", Aisle.HEALTH),
        ("DRUG GM", "NEWSPAPER", Aisle.OTHER),
        ("TRAVEL & LEISURE", "LUGGAGE", Aisle.OTHER),
        (None, None, Aisle.OTHER),
    ],
)
def test_aisles(department: str | None, category: str | None, expected: Aisle) -> None:
    assert aisle(department, category) is expected


def test_small_words() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 22, 113)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "22nd",
        "113th",
    ]
    assert [days_ago(d) for d in (0.3, 1.9, 40.2)] == ["today", "yesterday", "40 days ago"]
    assert [in_sentence(n) for n in ("White bread", "BBQ sauce", "Italian bread")] == [
        "white bread", "BBQ sauce", "Italian bread",
    ]  # fmt: skip
    assert (size_name("1 GA"), size_name(None), department_name("DRUG GM")) == (
        "1 gal",
        None,
        "Health and home",
    )
