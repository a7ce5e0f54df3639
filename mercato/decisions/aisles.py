"""Where a shopper looks for a product: a dozen aisles from the till's departments and categories."""

from __future__ import annotations

import functools
import re
from enum import StrEnum


class Aisle(StrEnum):
    """A shopper's idea of the shop."""

    PRODUCE = "Produce"
    BAKERY = "Bakery"
    DAIRY = "Dairy and eggs"
    MEAT = "Meat and fish"
    DELI = "Deli and prepared"
    FROZEN = "Frozen"
    DRINKS = "Drinks"
    SNACKS = "Snacks and sweets"
    PANTRY = "Pantry"
    HOUSEHOLD = "Household"
    HEALTH = "Health and beauty"
    PETS = "Pets"
    FUEL = "Fuel"
    OTHER = "More"


_BY_CATEGORY = tuple(
    (re.compile(pattern), aisle)
    for pattern, aisle in (
        (r"^(FRZN|FROZEN|ICE CREAM)|FROZEN$", Aisle.FROZEN),
        (r"^COFFEE FILTERS", Aisle.HOUSEHOLD),
        (r"^(CAT |DOG |PET |BIRD SEED)", Aisle.PETS),
        (r"DOUGH|BREAD|BUNS|ROLLS|BAKED SWEET|BREAKFAST SWEETS|CAKES|^PIES|PASTRY|COOKIES$", Aisle.BAKERY),
        (r"MILK PROD|MILK BY|CHEESE|YOGURT|^EGGS|MARGARINE|BUTTER|DAIRY", Aisle.DAIRY),
        (r"DRINK|DRNK|JUICE|COFFEE|TEAS|BEER|WINE|LIQUOR|WATER|COCOA|ISOTONIC|NEW AGE", Aisle.DRINKS),
        (r"SNACK|CRACKER|COOKIE|CANDY|POPCORN|NUTS|CONES", Aisle.SNACKS),
        (r"TISSUE|TOWEL|DETERGENT|CLEANG|BLEACH|LAUNDRY|^AIR CARE|BROOMS|WRAPS|DNR NAPKIN", Aisle.HOUSEHOLD),
        (r"BATTERIES|CANDLES|ELECTRICAL|KITCHEN|COOKWARE|HOUSEWARES", Aisle.HOUSEHOLD),
        (r"^(HAIR|ORAL|SOAP|COLD AND|FEMININE|DEODOR|ANALG|SHAVING|HAND/|FIRST AID|EYE|FOOT)", Aisle.HEALTH),
        (r"^(BABY|INFANT|DIAPER|VITAMIN|DIETARY|ANTACID|SINUS|LAXAT|ADULT|SUNTAN|FAMILY P)", Aisle.HEALTH),
        (r"GASOLINE|^FUEL", Aisle.FUEL),
    )
)
_BY_DEPARTMENT = {
    "PRODUCE": Aisle.PRODUCE,
    "SALAD BAR": Aisle.DELI,
    "PASTRY": Aisle.BAKERY,
    "MEAT": Aisle.MEAT,
    "MEAT-PCKGD": Aisle.MEAT,
    "SEAFOOD": Aisle.MEAT,
    "SEAFOOD-PCKGD": Aisle.MEAT,
    "DELI": Aisle.DELI,
    "CHEF SHOPPE": Aisle.DELI,
    "RESTAURANT": Aisle.DELI,
    "FROZEN GROCERY": Aisle.FROZEN,
    "SPIRITS": Aisle.DRINKS,
    "FUEL": Aisle.FUEL,
    "COSMETICS": Aisle.HEALTH,
    "FLORAL": Aisle.HOUSEHOLD,
    "GARDEN CENTER": Aisle.HOUSEHOLD,
}
_BY_CATEGORY_IN = {
    "GROCERY": Aisle.PANTRY,
    "NUTRITION": Aisle.PANTRY,
}


@functools.lru_cache(maxsize=4096)
def aisle(department: str | None, category: str | None) -> Aisle:
    """The aisle of a product; department and category as the till writes them."""
    if known := _BY_DEPARTMENT.get(department or ""):
        return known
    for pattern, found in _BY_CATEGORY:
        if category and pattern.search(category):
            return found
    return _BY_CATEGORY_IN.get(department or "", Aisle.OTHER)
