"""Reading a cloud assembly, and what is said when it cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mercato.cloud.template import Assembly, AssemblyError, NotStatedError, Resource, read
from tests.unit.cloud import shop


def test_stacks_come_in_the_order_of_the_deploy_under_their_names(assembly: Assembly) -> None:
    assert assembly.stacks == tuple(f"mercato-test-{name}" for name in shop.STACKS)
    assert assembly.region == "us-east-1"
    assert len(assembly.resources) == sum(map(len, shop.STACKS.values()))


@pytest.mark.parametrize("content", [None, "{", '{"artifacts": {"a": {}}}'])
def test_without_templates_the_next_step_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(AssemblyError, match=r"^.*run `make synth ENV=prod`.*$") as raised:
        read(tmp_path, "prod")
    assert "\n" not in str(raised.value)


def _move(folder: Path, regions: dict[str, str]) -> Path:
    shop.write(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    for stack, region in regions.items():
        manifest["artifacts"][stack]["environment"] = f"aws://unknown-account/{region}"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_the_edge_may_be_in_a_region_of_its_own(tmp_path: Path) -> None:
    elsewhere = dict.fromkeys(set(shop.STACKS) - {"edge"}, "eu-west-1")
    assert read(_move(tmp_path, elsewhere), "prod").region == "eu-west-1"


def test_several_regions_are_refused(tmp_path: Path) -> None:
    folder = _move(tmp_path, {"network": "eu-west-1", "jobs": "eu-north-1"})
    with pytest.raises(AssemblyError, match=r"eu-north-1, eu-west-1, us-east-1: .* --assembly"):
        read(folder, "prod")


def test_the_versions_of_a_model_say_on_what_its_endpoint_runs() -> None:
    tags = [{"Key": "other", "Value": "1"}, {"Key": "mercato:answers-on", "Value": "2 ml.c5.large"}]
    versions = "AWS::SageMaker::ModelPackageGroup"
    assert Resource("s", "R", versions, {"Tags": tags}).answers_on() == (2, "ml.c5.large")
    assert Resource("s", "R", versions, {"Tags": tags[:1]}).answers_on() is None
    assert Resource("s", "R", versions, {}).answers_on() is None
    assert Resource("s", "R", "AWS::MSK::Cluster", {"Tags": {"mercato:answers-on": "x"}}).answers_on() is None


def test_numbers_and_texts_are_only_what_the_template_states() -> None:
    resource = Resource("s", "R", "T", {"a": {"b": 3, "c": "4.5", "d": {"Ref": "x"}}, "e": "word"})
    assert resource.number("a", "b") == 3
    assert resource.number("a", "c") == 4.5
    assert resource.number("z", default=7) == 7
    assert resource.text("e") == "word"
    for path in (("a", "d"), ("e",), ("z",)):
        with pytest.raises(NotStatedError, match=r"\.".join(path)):
            resource.number(*path)
    with pytest.raises(NotStatedError):
        resource.text("a", "d")
