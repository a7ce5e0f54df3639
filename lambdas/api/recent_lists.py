"""Lists served lately, so that a later answer can say what changed since."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from mercato.decisions.recommend import Item


class RecentLists:
    """The newest lists by entity tag. Safe to use from several threads."""

    def __init__(self, most: int = 4_096) -> None:
        self._most = most
        self._lists: OrderedDict[str, Sequence[Item]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, tag: str, items: Sequence[Item]) -> None:
        """Remember a list; the oldest one is forgotten when there are too many."""
        with self._lock:
            self._lists[tag] = items
            self._lists.move_to_end(tag)
            if len(self._lists) > self._most:
                self._lists.popitem(last=False)

    def get(self, tag: str) -> Sequence[Item] | None:
        """The list of that tag, `None` if forgotten."""
        return self._lists.get(tag)
