"""The registry that a deploy ships, read where it lies by Feast's own SDK, beside what Redis holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.store import feature_store
from infra.emulator.servers import ACCOUNT, REGION
from mercato.online.views import HOUSEHOLD_PROFILE, VIEWS
from tests.integration.rig import Rig
from tests.integration.seed import HOUSEHOLDS

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.mark.exercises("feature-registry")
@pytest.mark.usefixtures("local_aws")
def test_feasts_sdk_serves_by_the_deployed_registry(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.start_redis()
    try:
        registry = f"s3://mercato-local-artifacts-{ACCOUNT}-{REGION}/features/registry.pb"
        store = feature_store(rig.settings.model_copy(update={"feature_registry": registry}))
        assert {view.name for view in store.list_feature_views()} == set(VIEWS)
        feature = HOUSEHOLD_PROFILE.features[0].name
        found = store.get_online_features(
            features=[f"{HOUSEHOLD_PROFILE.name}:{feature}"],
            entity_rows=[{HOUSEHOLD_PROFILE.entity: each} for each in HOUSEHOLDS],
        ).to_dict()
    finally:
        rig.kill("redis")
    assert None not in found[feature]
