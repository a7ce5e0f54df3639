"""GET /v1/products."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from lambdas.api import answers, searching
from lambdas.api.catalogue_snapshot import CatalogueSnapshot
from lambdas.api.schemas import ProductCard, SearchAnswer, SimilarProducts, Suggestions
from lambdas.api.services import ProductPath, UseServices
from lambdas.problem import ProblemError, documented
from mercato.decisions.fallback import SENTENCES, Reason, popular_in_store
from mercato.decisions.recommend import Item, Why
from mercato.search.query import MAX_TYPED, Question

router = APIRouter(prefix="/v1/products", tags=["products"])

Typed = Annotated[
    str, Query(min_length=1, max_length=MAX_TYPED, description="As typed.", examples=["frozen pizza"])
]
Chosen = Annotated[str | None, Query(max_length=200, description="Only these: a value of the facet.")]


# The fixed addresses come before `/{product_id}`, which would take them for a number.
@router.get(
    "/search", summary="Find products", responses=documented("invalid_parameters", "search_unavailable")
)
def find_products(
    services: UseServices,
    q: Typed,
    department: Chosen = None,
    brand: Chosen = None,
    size: Annotated[int, Query(ge=1, le=100, description="Products wanted.")] = 20,
    offset: Annotated[int, Query(ge=0, le=9_900, description="Products to skip.")] = 0,
) -> SearchAnswer:
    """Products by words of their name, category, department, brand and size, misspelt ones too."""
    question = Question(text=q, department=department, brand=brand, size=size, offset=offset)
    return searching.find(services.search, question, services.keeper.snapshot)


@router.get(
    "/suggestions",
    summary="Complete what is typed",
    responses=documented("invalid_parameters", "search_unavailable"),
)
def get_suggestions(
    services: UseServices, q: Typed, size: Annotated[int, Query(ge=1, le=20, description="Names wanted.")] = 8
) -> Suggestions:
    """Names of products that begin as what is typed, the most bought first."""
    return searching.suggest(services.search, q, size)


@router.get(
    "/{product_id}", summary="A product", responses=documented("unknown_product", "invalid_parameters")
)
def get_product(product_id: ProductPath, services: UseServices) -> ProductCard:
    """A product in a shopper's words, with its last price."""
    if not services.keeper.snapshot.knows(product_id):
        raise ProblemError("unknown_product", f"The catalogue has no product {product_id}.")
    return answers.card(product_id, services.keeper.snapshot)


@router.get(
    "/{product_id}/similar",
    summary="Products often bought with it",
    responses=documented("invalid_parameters"),
)
def get_similar(
    product_id: ProductPath,
    services: UseServices,
    n: Annotated[int, Query(ge=1, le=50, description="Products wanted.")] = 10,
) -> SimilarProducts:
    """Products often in the same basket, strongest first; popular ones if it is unknown or new."""
    snapshot = services.keeper.snapshot
    services.metrics.lists.inc()
    items = _neighbours(snapshot, product_id, n)
    reason = None
    if not items:
        reason = Reason.NO_NEIGHBOURS if snapshot.knows(product_id) else Reason.UNKNOWN_PRODUCT
        items, _ = popular_in_store(snapshot.popular, None, n=n, hidden=(product_id,))
        services.metrics.fallbacks.labels(reason.value).inc()
    return SimilarProducts(
        product_id=product_id,
        items=answers.products(items, snapshot),
        fallback=reason is not None,
        fallback_reason=reason,
        notice=SENTENCES[reason] if reason else None,
    )


def _neighbours(snapshot: CatalogueSnapshot, product_id: int, n: int) -> list[Item]:
    if snapshot.lookup is None:
        return []
    why = (Why("bought_together", f"Often bought together with {snapshot.name(product_id)}"),)
    ids, scores = snapshot.lookup.neighbours(product_id)
    return [
        Item(int(neighbour), rank, float(score), ("neighbours",), why, because_of=product_id)
        for rank, (neighbour, score) in enumerate(list(zip(ids, scores, strict=True))[:n], 1)
    ]
