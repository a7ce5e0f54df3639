"""The product index: kept up to date event by event, and made anew while it is being asked.

An alias names the version that is asked. A second one names every version that is written to: a new
version is among them from before its first document until it takes over, so that no event misses it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from opensearchpy import OpenSearch, helpers
from opensearchpy.exceptions import RequestError

from mercato.contracts.search import DOCUMENT, ProductDocument
from mercato.search.connection import answering, connect
from mercato.search.documents import source
from mercato.search.errors import SearchUnavailableError
from mercato.search.mapping import mapping, template
from mercato.settings import Settings

#: Seconds for a request that writes.
TIMEOUT = 30.0
#: Documents in a request, times a rejected one is tried again, seconds before the first such time.
_CHUNK, _RETRIES, _BACKOFF = 1_000, 5, 1
_CONFLICT_RETRIES = 5
_PAGE = 5_000
#: Seconds that a replaced version is kept: a search that began in it fails when it goes.
_GRACE = 3.0

#: Leaves alone what is newer or says the same, and the fields that the document does not have. Of two events
#: of one instant that of the greater id is newer, as in the lake, whichever comes first. Of an older document
#: it takes the popularity if there is none: an event has none, and may come before the lake's.
_UPSERT = f"""
Map said = params.document;
def order = 0;
if (ctx._source.{DOCUMENT.event_time} != null) {{
  order = ctx._source.{DOCUMENT.event_time}.compareTo(said.{DOCUMENT.event_time});
  if (order == 0 && ctx._source.{DOCUMENT.event_id} != null) {{
    order = ctx._source.{DOCUMENT.event_id}.compareTo(said.{DOCUMENT.event_id});
  }}
}}
if (order > 0) {{
  boolean lacks = ctx._source.{DOCUMENT.popularity} == null && said.{DOCUMENT.popularity} != null;
  said = lacks ? ['{DOCUMENT.popularity}': said.{DOCUMENT.popularity}] : [:];
}}
if (ctx._source.entrySet().containsAll(said.entrySet())) {{ ctx.op = 'none' }}
else {{ ctx._source.putAll(said) }}
"""


@dataclass(frozen=True)
class Written:
    """How many documents a write changed, and how many it left as they were."""

    written: int
    unchanged: int


@dataclass(frozen=True)
class Rebuilt:
    """A new version of the index.

    Attributes:
        index: its name.
        documents: how many it holds.
        carried: of those, how many came from the version before, which knew them to be newer.
        replaced: versions that it took over from.
    """

    index: str
    documents: int
    carried: int
    replaced: tuple[str, ...]


class ProductIndex:
    """The versions of the index behind one alias.

    Args:
        settings: where OpenSearch is and what the alias is called.

    Raises:
        mercato.settings.NotRunningError: OpenSearch has no address.
    """

    def __init__(self, settings: Settings) -> None:
        self._client: OpenSearch = connect(settings, TIMEOUT)
        self._alias = settings.opensearch_index
        self._writes = f"{self._alias}-writes"

    def ensure(self) -> None:
        """Make an empty first version if there is none; whoever else does so at the same time may win.

        Versions that an earlier release made get the fields that are new since.

        Raises:
            SearchUnavailableError: OpenSearch does not answer.
        """
        with answering():
            if self._client.indices.exists_alias(name=self._writes):
                self._client.indices.put_mapping(index=self._writes, body=mapping())
                return
            self._put_template()
            try:
                self._create(self._name("v0"), self._alias, self._writes)
            except RequestError as error:
                if error.error != "resource_already_exists_exception":
                    raise

    def upsert(self, documents: Iterable[ProductDocument]) -> Written:
        """Write documents to every version that is written to; safe to repeat, in any order.

        Raises:
            SearchUnavailableError: OpenSearch does not answer, refused a document, or has no index.
        """
        batch = list(documents)
        counts: dict[str, Written] = {}
        with answering():
            # Again, for a rebuild that begins meanwhile: its scan may miss what is being written.
            while missing := self._written_to() - counts.keys():
                counts |= {each: self._write(each, batch) for each in sorted(missing)}
        return counts[max(counts)]

    def rebuild(self, documents: Iterable[ProductDocument]) -> Rebuilt:
        """Fill a new version, let it take over at once, and delete the one before.

        Documents of the version before that are newer than the ones given, or not among them, are kept:
        the lake may lag behind the events. Popularity is that of the documents given.

        Args:
            documents: one per product.

        Raises:
            SearchUnavailableError: OpenSearch did not take all, or another rebuild was done first; the
                version that answered stays.
        """
        given: dict[int, _Given] = {}
        with answering():
            self._put_template()
            new = self._name(f"v{datetime.now(UTC):%Y%m%d%H%M%S%f}")
            try:
                self._create(new, self._writes)
                self._write(new, _noting(documents, given))
                old = self._versions(self._alias)
                carried = self._write(new, self._newer(old, given)) if old else Written(0, 0)
                self._client.indices.refresh(index=new)
                replaced = self._take_over(new)
            except BaseException:
                # Who is interrupted while OpenSearch answers may have it in service already.
                if new not in self._versions(self._alias):
                    self._client.indices.delete(index=new, ignore_unavailable=True)
                raise
            if replaced:
                time.sleep(_GRACE)
                self._client.indices.delete(index=",".join(replaced), ignore_unavailable=True)
            return Rebuilt(new, self._client.count(index=new)["count"], carried.written, replaced)

    def _put_template(self) -> None:
        self._client.indices.put_index_template(name=self._alias, body=template(f"{self._alias}-v*"))

    def _name(self, version: str) -> str:
        return f"{self._alias}-{version}"

    def _create(self, name: str, *aliases: str) -> None:
        self._client.indices.create(index=name, body={"aliases": {alias: {} for alias in aliases}})

    def _versions(self, alias: str) -> list[str]:
        if not self._client.indices.exists_alias(name=alias):
            return []
        return sorted(self._client.indices.get_alias(name=alias))

    def _written_to(self) -> set[str]:
        return set(self._client.indices.get_alias(name=self._writes))

    def _take_over(self, new: str) -> tuple[str, ...]:
        """In one step make this the only version. Returns the others, those of crashed rebuilds too."""
        if new not in self._versions(self._writes):
            # A write to a version that is gone makes it anew, of whatever was still to be written.
            raise SearchUnavailableError(
                "Another rebuild of the product index was done first, and its version answers: "
                "run one at a time."
            )
        others = sorted(set(self._client.indices.get(index=f"{self._alias}-v*")) - {new})
        aliases = [self._alias, self._writes]
        actions: list[Mapping[str, Any]] = [{"add": {"index": new, "alias": self._alias}}]
        actions += [{"remove": {"index": each, "aliases": aliases, "must_exist": False}} for each in others]
        self._client.indices.update_aliases(body={"actions": actions})
        return tuple(others)

    def _newer(self, versions: list[str], given: Mapping[int, _Given]) -> Iterator[ProductDocument]:
        index = ",".join(versions)
        # A scan does not see what was written since the last refresh.
        self._client.indices.refresh(index=index)
        for hit in helpers.scan(self._client, index=index, size=_PAGE):
            found = msgspec.convert(hit["_source"], ProductDocument)
            known = given.get(found.product_id)
            if known is None:
                yield found
            elif _order(found) > known.order:
                yield msgspec.structs.replace(found, popularity=msgspec.UNSET) if known.popular else found

    def _write(self, version: str, documents: Iterable[ProductDocument]) -> Written:
        counts = {"updated": 0, "created": 0, "noop": 0}
        results = helpers.streaming_bulk(
            self._client,
            (_action(version, each) for each in documents),
            chunk_size=_CHUNK,
            max_retries=_RETRIES,
            initial_backoff=_BACKOFF,
            raise_on_error=False,
        )
        for done, result in results:
            if not done:
                raise _refused(result["update"])
            counts[result["update"]["result"]] += 1
        return Written(counts["created"] + counts["updated"], counts["noop"])


@dataclass(frozen=True, slots=True)
class _Given:
    """What a rebuild has of a product. Attributes: its document's order; whether that has a popularity."""

    order: tuple[datetime, str]
    popular: bool


def _order(document: ProductDocument) -> tuple[datetime, str]:
    """By which the newest of a product's documents is the last."""
    return document.event_time, document.event_id


def _noting(documents: Iterable[ProductDocument], given: dict[int, _Given]) -> Iterator[ProductDocument]:
    for each in documents:
        given[each.product_id] = _Given(_order(each), each.popularity is not msgspec.UNSET)
        yield each


def _action(version: str, document: ProductDocument) -> dict[str, Any]:
    return {
        "_op_type": "update",
        "_index": version,
        "_id": str(document.product_id),
        "retry_on_conflict": _CONFLICT_RETRIES,
        "script": {"lang": "painless", "source": _UPSERT, "params": {"document": source(document)}},
        "scripted_upsert": True,
        "upsert": {},
    }


def _refused(result: Mapping[str, Any]) -> SearchUnavailableError:
    error = result.get("error", {})
    why = error.get("reason", error) if isinstance(error, dict) else error
    return SearchUnavailableError(
        f"OpenSearch refused product {result['_id']} ({result.get('status')}): {why}. "
        "Free disk space or memory of the domain if it says so, then write again."
    )
