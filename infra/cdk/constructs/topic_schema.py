"""A topic's schema in Glue's registry: what an event is now, and what it was."""

from __future__ import annotations

import json

from aws_cdk import RemovalPolicy
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.cdk.contracts import TopicSpec
from infra.cdk.json_schema import DRAFT, draft_07

#: The first version of each, for good: to change it would replace the schema, whose name is taken.
_FIRST = {"$schema": DRAFT, "type": "object"}
#: With the registry's check no version could follow the first, and a contract that it refuses would stop a
#: deploy half way. What may change in a contract is looked at where it is changed (docs/adr/0023).
_COMPATIBILITY = "NONE"


class TopicSchema(Construct):
    """The schema of a topic, and the version that its contract says."""

    def __init__(
        self, scope: Construct, construct_id: str, *, registry: glue.CfnRegistry, topic: TopicSpec
    ) -> None:
        """Create them; a changed contract becomes a new version beside those before it."""
        super().__init__(scope, construct_id)
        schema = glue.CfnSchema(
            self,
            "Schema",
            name=topic.name,
            registry=glue.CfnSchema.RegistryProperty(arn=registry.attr_arn),
            data_format="JSON",
            compatibility=_COMPATIBILITY,
            schema_definition=json.dumps(_FIRST),
        )
        version = glue.CfnSchemaVersion(
            self,
            "Version",
            schema=glue.CfnSchemaVersion.SchemaProperty(schema_arn=schema.attr_arn),
            schema_definition=json.dumps(draft_07(topic.definition)),
        )
        # What was written by the version before can still be looked up; it goes with the schema.
        version.apply_removal_policy(RemovalPolicy.RETAIN)
