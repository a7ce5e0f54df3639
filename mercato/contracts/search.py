"""What is searched: one document per product; `mercato.search.mapping` makes the mapping of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from mercato.contracts.schema import Columns

#: Read as words by the analyzers; any other text is only compared whole, counted and filtered by.
WORDS = msgspec.Meta(extra={"search": "words"})
#: Words that are also completed while they are typed.
TYPED = msgspec.Meta(extra={"search": "typed"})


class ProductDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A product as it is found. `name` and `words` are in a shopper's words, the rest is as in products.v1.

    `popularity` is unset in a document that only a product's event is known of: the index keeps what it has.
    `event_id`, by which the last of one instant's events is told, is empty in what earlier releases indexed.
    """

    product_id: int
    event_time: datetime
    event_id: str = ""
    manufacturer_id: int
    name: Annotated[str, TYPED]
    words: Annotated[list[str], WORDS]  # all that it may be looked for by
    department: str
    brand: str
    category: str | None
    product_type: str | None
    package_size: str | None
    popularity: float | msgspec.UnsetType = msgspec.UNSET  # baskets in the last 13 weeks


DOCUMENT = Columns("the product index", ProductDocument.__struct_encode_fields__)
