"""What may keep products from being found."""

from __future__ import annotations

from mercato.errors import MercatoError


class SearchUnavailableError(MercatoError):
    """OpenSearch, or the catalogue in it, is not there to be asked."""
