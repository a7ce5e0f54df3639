"""The platform in a region where CloudFront's firewall does not live."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mercato.cloud.cost.free import BY_CDK, FREE
from mercato.cloud.cost.rules import RULES
from mercato.cloud.template import read
from tests.infra.templates import synthesize

HOME, EDGE = "eu-central-1", "us-east-1"


@pytest.mark.slow
def test_only_the_edge_leaves_the_region_still_knows_the_api_and_has_its_price(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.json"
    zones = [f"{HOME}{letter}" for letter in "abc"]
    overlay.write_text(json.dumps({"region": HOME, "network": {"availability_zones": zones}}))
    done = synthesize("prod", tmp_path / "out", "--overlay", str(overlay))
    assert done.returncode == 0, done.stdout + done.stderr
    artifacts = json.loads((tmp_path / "out" / "manifest.json").read_text())["artifacts"]
    regions = {
        name: held["environment"].rpartition("/")[2]
        for name, held in artifacts.items()
        if held["type"] == "aws:cloudformation:stack"
    }
    assert {name for name, region in regions.items() if region != HOME} == {"edge"}
    assert regions["edge"] == EDGE
    edge = json.loads((tmp_path / "out" / "edge.template.json").read_text())["Resources"]
    origins = [held["Properties"]["DistributionConfig"]["Origins"] for held in edge.values()
               if held["Type"] == "AWS::CloudFront::Distribution"]  # fmt: skip
    assert "HttpApi" in json.dumps(origins)
    types = set(read(tmp_path / "out", "prod").counts)
    assert types <= FREE | set(RULES)
    # What carries the API's address there is in no inventory.
    assert {each for each in BY_CDK if each.startswith("Custom::")} <= types
