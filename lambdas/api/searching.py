"""Found products as the API answers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lambdas.api.catalogue_snapshot import CatalogueSnapshot
from lambdas.api.schemas import Facets, FacetValue, FoundProduct, SearchAnswer, Suggestions
from lambdas.problem import ProblemError
from mercato.contracts.search import DOCUMENT
from mercato.decisions.aisles import aisle
from mercato.decisions.wording import department_name, readable, size_name
from mercato.search import query
from mercato.search.errors import SearchUnavailableError
from mercato.search.products import ProductSearch
from mercato.search.query import Hit, Question
from mercato.settings import NotRunningError

_TRY_AGAIN = 2


def find(search: ProductSearch, question: Question, snapshot: CatalogueSnapshot) -> SearchAnswer:
    """The answer to a question.

    Raises:
        ProblemError: `search_unavailable`.
    """
    with _problems():
        found = search.find(question)
    return SearchAnswer(
        query=question.text,
        total=found.total,
        relaxed=found.relaxed,
        hits=[_product(hit, rank, snapshot) for rank, hit in enumerate(found.hits, question.offset + 1)],
        facets=_facets(found.facets),
        took_ms=found.took_ms,
    )


def suggest(search: ProductSearch, typed: str, size: int) -> Suggestions:
    """Names that complete what is typed.

    Raises:
        ProblemError: `search_unavailable`.
    """
    with _problems():
        return Suggestions(query=typed, names=search.suggest(typed, size))


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except (SearchUnavailableError, NotRunningError) as error:
        raise ProblemError("search_unavailable", str(error), retry_after=_TRY_AGAIN) from error


def _product(hit: Hit, rank: int, snapshot: CatalogueSnapshot) -> FoundProduct:
    """A hit as a card; the index may know products that the snapshot has not loaded, which has the price."""
    found = hit.document
    return FoundProduct(
        product_id=found.product_id,
        name=found.name,
        aisle=str(aisle(found.department, found.category)),
        category=readable(found.category) if found.category else None,
        department=department_name(found.department),
        brand=found.brand,
        size=size_name(found.package_size),
        price=snapshot.card(found.product_id)["price"],
        rank=rank,
        score=round(hit.score, 4),
    )


def _facets(found: Mapping[str, Sequence[query.FacetValue]]) -> Facets:
    return Facets(
        department=[
            FacetValue(value=each.value, name=department_name(each.value) or each.value, count=each.count)
            for each in found[DOCUMENT.department]
        ],
        brand=[
            FacetValue(value=each.value, name=each.value, count=each.count) for each in found[DOCUMENT.brand]
        ],
    )
