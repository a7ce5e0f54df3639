"""The Feast store, configured in code from the settings: no file with machine paths."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from feast import FeatureStore
from feast.repo_config import RegistryConfig, RepoConfig

from features.entities import ENTITIES
from features.offline_store import DeltaOfflineStoreConfig
from features.services import SERVICES
from features.sources import SOURCES
from features.views import FEATURE_VIEWS
from mercato.online.codec import KEY_VERSION, PROJECT
from mercato.settings import Settings


def feature_store(settings: Settings) -> FeatureStore:
    """The store: registry in a file or S3 object, online store in Redis, offline store over the Delta lake.

    The offline store works in the session that is active; see `features.offline`.
    """
    registry = settings.feature_registry or str(settings.home / "state" / "feast" / "registry.pb")
    if "://" not in registry:
        Path(registry).parent.mkdir(parents=True, exist_ok=True)
    config = RepoConfig(
        project=PROJECT,
        provider="local",
        registry=RegistryConfig(path=registry),
        online_store=_online(settings.endpoint("redis_url")),
        offline_store={"type": DeltaOfflineStoreConfig().type},
        entity_key_serialization_version=KEY_VERSION,
    )
    return FeatureStore(config=config)


def apply(settings: Settings) -> FeatureStore:
    """Bring the registry in line with what this package declares."""
    store = feature_store(settings)
    declared = [*ENTITIES.values(), *SOURCES.values(), *FEATURE_VIEWS.values(), *SERVICES]
    store.apply(declared, partial=False, objects_to_delete=[])
    return store


def _online(redis_url: str | None) -> dict[str, str]:
    """Feast's connection string for a `redis://` or `rediss://` address."""
    url = urlsplit(redis_url or "redis://127.0.0.1:6379/0")
    parts = [f"{url.hostname}:{url.port or 6379}", f"db={url.path.strip('/') or 0}"]
    if url.username:
        parts.append(f"username={unquote(url.username)}")
    if url.password:
        parts.append(f"password={unquote(url.password)}")
    if url.scheme == "rediss":
        parts.append("ssl=true")
    return {"type": "redis", "connection_string": ",".join(parts)}
