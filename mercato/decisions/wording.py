"""Turn the retailer's codes and upper-case till text into words for a shopper."""

from __future__ import annotations

import functools
import re

#: Till abbreviations spelled out. Longer patterns come first so that they win.
_EXPANSIONS = (
    (r"sft drnk 2 liter btl carb incl", "soft drink, 2 liter bottle"),
    (r"sft drnk sngl srv btl carb \(ex", "soft drink, single bottle"),
    (r"sft drnk mlt-pk btl carb \(excp", "soft drink, bottle multi-pack"),
    (r"soft drinks 12/18&15pk can car", "soft drink, 12 to 18 cans"),
    (r"soft drinks 20pk&24pk can carb", "soft drink, 20 to 24 cans"),
    (r"mainstream wheat/multigrain br", "wheat or multigrain bread"),
    (r"mainstream white bread", "white bread"),
    (r"fluid milk white only", "milk"),
    (r"fluid milk products?", "milk"),
    (r"frzn ss premium entrees/dnrs/\w", "frozen premium dinner for one"),
    (r"ss economy entrees/dinners all", "frozen dinner for one"),
    (r"dairy case 100% pure juice - o", "chilled pure juice"),
    (r"non-crbntd drnking/mneral wate", "still water"),
    (r"beeralemalt liquors", "beer, ale and malt liquor"),
    (r"iws single cheese", "wrapped cheese slices"),
    (r"rts soup: chunky/homestyle et", "chunky soup"),
    (r"natural cheese exact wt (\w+)", r"natural cheese \1"),
    (r"candy bars \(singles\)\(including", "candy bar, single"),
    (r"sgl sv/vend mach snacks chip/p", "snacks, single serve"),
    (r"gasoline-reg unleaded", "regular unleaded gasoline"),
    (r"prep fd: ", "prepared: "),
    (r"sw gds:\s*", "sweet goods: "),
    (r"semi-solid salad dressing may", "mayonnaise"),
    (r"mexican saucessalsapicanteesauce|mexican saucessalsapicantee", "salsa and Mexican sauce"),
    (r"coupon/misc items", "other items"),
    (r"kitchen, incandescent, halogen", "kitchen bulbs"),
    (r"\((bulk ?& ?bag|incl[^)]*|9 lives[^)]*|cheez[^)]*|ritz[^)]*|saltine[^)]*)\)?", ""),
    (r"\bfrzn\b", "frozen"),
    (r"\brefr?grati?e?d\b|\brefrgratd\b", "refrigerated"),
    (r"\bdrnks?\b", "drinks"),
    (r"\bdnrs?\b", "dinners"),
    (r"\bdnrs/n\b", "dinners"),
    (r"\bbkd\b", "baked"),
    (r"\bfd\b", "food"),
    (r"\bmxs\b", "mixes"),
    (r"\bchoc\b", "chocolate"),
    (r"\bchococlate\b", "chocolate"),
    (r"\bpnt btr\b", "peanut butter"),
    (r"\bsald drsng\b", "salad dressing"),
    (r"\bsndwch sprd\b", "sandwich spread"),
    (r"\bpwdr\b", "powder"),
    (r"\bcrystl\b", "crystal"),
    (r"\bmx\b", "mix"),
    (r"\bbrkfst\b", "breakfast"),
    (r"\bwhlsm\b", "wholesome"),
    (r"\bcleang\b", "cleaning"),
    (r"\bsupppl?(ies|y)?\b", "supplies"),
    (r"\bveg\b", "vegetable"),
    (r"\bbn\b", "beans"),
    (r"\bspecilaty\b", "specialty"),
    (r"\bpkld\b", "pickled"),
    (r"\btiss\b", "tissue"),
    (r"\bhandke\b", "handkerchiefs"),
    (r"\btrsh bg\b", "trash bags"),
    (r"\bsherbts\b", "sherbet"),
    (r"\bnovelties/wtr ice\b", "novelties and water ice"),
    (r"\bsweetners\b", "sweeteners"),
    (r"\bfs/whl/cut\b", "whole or cut"),
    (r"\bcrmd\b", "creamed"),
    (r"\bchick\b", "chicken"),
    (r"\bmlt-pk\b", "multi-pack"),
    (r"\bbtl\b", "bottle"),
    (r"\bx-large\b", "extra large"),
    (r"\brefrig\b", "refrigerated"),
    (r"\bdairy case\b", "chilled"),
    (r"-magazine\b", " magazine"),
    (r"\bcooki$", "cookies"),
    (r"\bcracke$", "crackers"),
    (r"\bcleane$", "cleaners"),
    (r"\bdrnkng\b", "drinking"),
    (r"\bmnrl wat\b", "mineral water"),
    (r"\bcat ?fd\b", "cat food"),
    (r"\bdog ?fd\b", "dog food"),
    (r"\bchix\b", "chicken"),
    (r"\bflvrd\b", "flavored"),
    (r"\bw/", "with "),
    (r"\bfacial tissue/dinners\b", "facial tissue/dinner"),
    (r"\b(candy bags|seasonal candy bags)-", r"\1, "),
    (r"\bparty sply\b", "party supplies"),
    (r"\bhbc\b", "health and beauty"),
    (r"\ball family\b", "family"),
    (r"([a-z])-(?:all|misc)\b", r"\1"),
    (r"\s+- all others\b|\s+- all\b|\s+all$", ""),
)
_COMPILED = tuple((re.compile(pattern), words) for pattern, words in _EXPANSIONS)
_PROPER = {
    "bbq": "BBQ",
    "italian": "Italian",
    "french": "French",
    "mexican": "Mexican",
    "usa": "USA",
    "tv": "TV",
}

_DEPARTMENTS = {
    "CHEF SHOPPE": "Chef shop",
    "CNTRL/STORE SUP": "Store supplies",
    "DRUG GM": "Health and home",
    "ELECT &PLUMBING": "Electrical and plumbing",
    "GM MERCH EXP": "General merchandise",
    "MEAT-PCKGD": "Packaged meat",
    "PROD-WHS SALES": "Produce",
    "SEAFOOD-PCKGD": "Packaged seafood",
}

_UNITS = {
    "OZ": "oz", "LB": "lb", "GA": "gal", "GAL": "gal", "DZ": "dozen", "CT": "ct", "ML": "ml",
    "L": "l", "PT": "pint", "QT": "quart", "PK": "pack", "SQ": "sq", "FT": "ft",
}  # fmt: skip

_CUT_OFF = {"br", "ba", "inc", "incl", "sandwic", "wra"}

#: Product types that only say which kind of their category: "Beef, lean".
_QUALIFIERS = frozenset({
    "angus", "better for you", "blends", "economy", "enhanced", "entrees", "fresh", "garden plus", "lean",
    "links, raw", "mainstream", "miscellaneous", "patties", "premium", "premium pints", "primal",
    "regular garden", "ribs", "smoked, cooked", "specialty", "sticks, enrobed", "super premium pints",
    "traditional",
})  # fmt: skip


@functools.lru_cache(maxsize=16_384)
def readable(text: str) -> str:
    """Till text in sentence case: `FRZN BAGGED VEGETABLES - PLAIN` -> `Frozen bagged vegetables, plain`."""
    words = text.strip().lower()
    for pattern, replacement in _COMPILED:
        words = pattern.sub(replacement, words)
    words = re.sub(r"\s*[-:]\s+|\s+-\s*", ", ", words)
    words = re.sub(r":(?=\S)", ", ", words)
    words = re.sub(r"\s*&\s*", " and ", words)
    words = re.sub(r"(?<=[a-z])/(?=[a-z])", ", ", words)
    words = re.sub(r"\(([^)]*)$", "", words)
    parts = [_proper(word) for word in words.split() if word not in _CUT_OFF]
    joined = re.sub(r"[\s,]+$", "", re.sub(r"\s+,", ",", " ".join(parts)))
    return joined[:1].upper() + joined[1:]


def _proper(word: str) -> str:
    bare = word.rstrip(",")
    return _PROPER.get(bare, bare) + word[len(bare) :]


def product_name(product_type: str | None, category: str | None, product_id: int) -> str:
    """What a shopper calls a product; its number where the catalogue has no words for it."""
    kind, family = readable(product_type or ""), readable(category or "")
    if kind.lower() in _QUALIFIERS and family and family != kind:
        return f"{family}, {in_sentence(kind)}"
    return kind or family or f"Product {product_id}"


def department_name(department: str | None) -> str | None:
    """Department in words, `None` where unknown."""
    if not department:
        return None
    return _DEPARTMENTS.get(department) or readable(department)


def size_name(package_size: str | None) -> str | None:
    """Package size with units in lower case: `14.5 OZ` -> `14.5 oz`."""
    if not package_size:
        return None
    return " ".join(_UNITS.get(word, word.lower()) for word in package_size.split())


def in_sentence(name: str) -> str:
    """A product name as it stands inside a sentence: first letter small, unless it is an acronym."""
    first = name.split(" ", 1)[0]
    keeps = first.rstrip(",").isupper() or first.rstrip(",").lower() in _PROPER
    return name if keeps else name[:1].lower() + name[1:]


def count(number: int, noun: str) -> str:
    """`1 item`, `2 items`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ordinal(rank: int) -> str:
    """`1st`, `2nd`, `11th`."""
    suffix = "th" if rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{suffix}"


def days_ago(days: float) -> str:
    """Elapsed time for people: `today`, `yesterday`, `14 days ago`."""
    whole = int(days)
    return {0: "today", 1: "yesterday"}.get(whole, f"{whole} days ago")
