"""What is served at request time: feature views in Redis, in Feast's own format."""

from __future__ import annotations

from mercato.online.reader import History, Household, Marker, OnlineFeatures, Session, history_of
from mercato.online.store import OnlineUnavailable

__all__ = ["History", "Household", "Marker", "OnlineFeatures", "OnlineUnavailable", "Session", "history_of"]
