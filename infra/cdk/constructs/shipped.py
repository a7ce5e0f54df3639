"""What the templates name is what `infra.artifacts` built, and says so in its metadata."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CfnResource
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.artifacts.catalog import artifact

#: Key of a resource's metadata that holds the names of the artifacts it runs.
METADATA = "mercato:artifacts"


def shipped(scope: Construct, name: str, file: str = "") -> s3_assets.Asset:
    """An artifact, built if its sources have changed, as an asset of the deploy.

    Args:
        name: of the artifact.
        file: one file of it; the whole folder, zipped, by default.

    Raises:
        infra.artifacts.artifact.BuildError: it cannot be built.
    """
    construct_id = f"Asset-{name}" + (f"-{Path(file).name}" if file else "")
    asset = scope.node.try_find_child(construct_id)
    if isinstance(asset, s3_assets.Asset):
        return asset
    return s3_assets.Asset(scope, construct_id, path=str(artifact(name).build() / file))


def runs(resource: CfnResource, *names: str) -> None:
    """Note on a resource which artifacts it runs; a test looks them up."""
    resource.add_metadata(METADATA, list(names))
