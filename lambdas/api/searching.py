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
        result = search.find(question)
    return SearchAnswer(
        query=question.text,
        total=result.total,
        relaxed=result.relaxed,
        hits=[_product(hit, rank, snapshot) for rank, hit in enumerate(result.hits, question.offset + 1)],
        facets=_facets(result.facets),
        took_ms=result.took_ms,
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
    document = hit.document
    return FoundProduct(
        product_id=document.product_id,
        name=document.name,
        aisle=str(aisle(document.department, document.category)),
        category=readable(document.category) if document.category else None,
        department=department_name(document.department),
        brand=document.brand,
        size=size_name(document.package_size),
        price=snapshot.card(document.product_id)["price"],
        rank=rank,
        score=round(hit.score, 4),
    )


def _facets(facets: Mapping[str, Sequence[query.FacetValue]]) -> Facets:
    return Facets(
        department=[
            FacetValue(value=each.value, name=department_name(each.value) or each.value, count=each.count)
            for each in facets[DOCUMENT.department]
        ],
        brand=[
            FacetValue(value=each.value, name=each.value, count=each.count) for each in facets[DOCUMENT.brand]
        ],
    )
