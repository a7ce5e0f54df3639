"""Checkov reads from a resource itself which of its checks do not hold there, and why."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import CfnResource
from constructs import IConstruct

_METADATA = "checkov"
#: What an acknowledged check looks at; whatever else its construct holds stays as it is.
LOOKS_AT = {
    "CKV_AWS_18": "AWS::S3::Bucket",
    "CKV_AWS_86": "AWS::CloudFront::Distribution",
    "CKV_AWS_111": "AWS::IAM::Policy",
    "CKV_AWS_115": "AWS::Lambda::Function",
    "CKV_AWS_116": "AWS::Lambda::Function",
    "CKV_AWS_117": "AWS::Lambda::Function",
    "CKV_AWS_173": "AWS::Lambda::Function",
    "CKV_AWS_174": "AWS::CloudFront::Distribution",
    "CKV_AWS_317": "AWS::OpenSearchService::Domain",
}


def skip(construct: IConstruct, checks: Sequence[str], reason: str) -> None:
    """Note on the resources of a construct which checks do not hold for them.

    Raises:
        KeyError: `LOOKS_AT` does not say what a check looks at.
    """
    types = {check: LOOKS_AT[check] for check in checks}
    for resource in filter(CfnResource.is_cfn_resource, construct.node.find_all()):
        skipped = [
            {"id": check, "comment": reason}
            for check, of in types.items()
            if of == resource.cfn_resource_type
        ]
        if skipped:
            earlier = (resource.get_metadata(_METADATA) or {"skip": []})["skip"]
            resource.add_metadata(_METADATA, {"skip": [*earlier, *skipped]})
