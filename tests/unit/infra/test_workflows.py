"""GitHub's workflows run commands that there are, and deploy with the role that the templates make."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from infra.artifacts.artifact import ROOT
from infra.cdk.config import environments

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")
}
LOCAL = "local"


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in WORKFLOWS[name]["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_command_is_a_target_of_the_makefile_or_a_module(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for step in steps(name):
        if made := re.search(r"\bmake ([a-z-]+)", step.get("run", "")):
            assert made[1] in targets
        if module := re.search(r"python3? -m ([\w.]+)", step.get("run", "")):
            assert (ROOT / f"{module[1].replace('.', '/')}.py").is_file()


def test_a_deploy_may_ask_for_a_token_and_nothing_else_and_takes_the_stacks_role() -> None:
    deploy = WORKFLOWS["deploy"]
    assert deploy["permissions"] == {"contents": "read", "id-token": "write"}
    (job,) = deploy["jobs"].values()
    # The role's trust names the environment; without this line GitHub would not put it into the token.
    assert job["environment"] == "${{ inputs.environment }}"
    (role,) = [
        step["with"]["role-to-assume"] for step in steps("deploy") if "role-to-assume" in step.get("with", {})
    ]
    assert role.endswith(":role/mercato-${{ inputs.environment }}-deployer")


def test_a_deploys_session_lasts_as_long_as_its_job_may_take() -> None:
    (job,) = WORKFLOWS["deploy"]["jobs"].values()
    (given,) = [step["with"] for step in job["steps"] if "role-to-assume" in step.get("with", {})]
    assert given["role-duration-seconds"] >= job["timeout-minutes"] * 60


def test_every_environment_that_is_paid_for_can_be_chosen_and_is_synthesized() -> None:
    paid = {name for name in environments() if name != LOCAL}
    # YAML 1.1 reads the key `on` as true.
    assert set(WORKFLOWS["deploy"][True]["workflow_dispatch"]["inputs"]["environment"]["options"]) == paid
    assert set(WORKFLOWS["ci"]["jobs"]["synth"]["strategy"]["matrix"]["environment"]) == paid


@pytest.mark.parametrize("name", WORKFLOWS)
def test_an_action_is_a_commit_and_says_which_release_that_is(name: str) -> None:
    """A tag can be moved to another commit by whoever takes over the action; a commit cannot."""
    used = re.findall(r"uses: (\S+)(.*)", (ROOT / f".github/workflows/{name}.yml").read_text())
    assert used
    for action, comment in used:
        assert re.search(r"@[0-9a-f]{40}$", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)
