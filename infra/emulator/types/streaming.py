"""MSK, the schema registry and Managed Flink."""

from __future__ import annotations

import json

from infra.emulator.types.registration import Call, CloudType, Make, made, native, recorded

_NO_BROKER = "Its brokers' addresses lead nowhere; `mercato up kafka` runs a real one."

TYPES: tuple[CloudType, ...] = (
    made(
        "AWS::MSK::Cluster",
        Make(
            "{answer.ClusterArn}",
            {"Arn": "{id}"},
            Call("kafka", "create_cluster"),
            Call("kafka", "delete_cluster", {"ClusterArn": "{id}"}),
        ),
        Call("kafka", "describe_cluster", {"ClusterArn": "{id}"}),
        _NO_BROKER,
        faked=True,
    ),
    made(
        "AWS::MSK::Configuration",
        Make(
            "{answer.Arn}",
            {
                "Arn": "{id}",
                "LatestRevision.Revision": "{answer.LatestRevision.Revision}",
                "LatestRevision.CreationTime": "{answer.CreationTime}",
                "LatestRevision.Description": "{Description}",
            },
            Call("kafka", "create_configuration"),
            None,
            lambda given: {**given, "KafkaVersions": given.get("KafkaVersionsList", [])},
        ),
        Call("kafka", "describe_configuration", {"Arn": "{id}"}),
    ),
    recorded("AWS::MSK::Topic", "{ClusterArn}/{TopicName}", _NO_BROKER, TopicArn="{id}"),
    made(
        "AWS::Glue::Registry",
        Make(
            "{answer.RegistryArn}",
            {"Arn": "{id}"},
            Call("glue", "create_registry", {"RegistryName": "{Name}"}),
            Call("glue", "delete_registry", {"RegistryId": {"RegistryArn": "{id}"}}),
        ),
        Call("glue", "get_registry", {"RegistryId": {"RegistryArn": "{id}"}}),
        "Made in moto.",
    ),
    made(
        "AWS::Glue::Schema",
        Make(
            "{answer.SchemaArn}",
            {"Arn": "{id}", "InitialSchemaVersionId": "{answer.SchemaVersionId}"},
            Call(
                "glue",
                "create_schema",
                {"SchemaName": "{Name}", "RegistryId": {"RegistryArn": "{Registry.Arn}"}},
            ),
            Call("glue", "delete_schema", {"SchemaId": {"SchemaArn": "{id}"}}),
        ),
        Call("glue", "get_schema", {"SchemaId": {"SchemaArn": "{id}"}}),
        "Made in moto.",
    ),
    made(
        "AWS::Glue::SchemaVersion",
        Make(
            "{answer.SchemaVersionId}",
            {"VersionId": "{id}"},
            Call("glue", "register_schema_version", {"SchemaId": {"SchemaArn": "{Schema.SchemaArn}"}}),
        ),
        Call("glue", "get_schema_version", {"SchemaVersionId": "{id}"}),
        "Made in moto; goes with its schema.",
    ),
    native(
        "AWS::KinesisAnalyticsV2::Application",
        Call("kinesisanalyticsv2", "describe_application", {"ApplicationName": "{id}"}),
        "`make flink` runs the job it names; here nothing runs.",
        faked=True,
    ),
    made(
        "Custom::SessionsStarted",
        Make(
            "{Application}",
            {},
            Call("kinesisanalyticsv2", "start_application"),
            adapt=lambda given: json.loads(given["Create"])["parameters"],
            settled="ResourceInUseException",
        ),
        Call(
            "kinesisanalyticsv2",
            "describe_application",
            {"ApplicationName": "{Application}"},
            "ApplicationDetail.ApplicationStatus!='READY'",
        ),
        "The application is asked to start, by the emulator itself.",
        faked=True,
    ),
    native(
        "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption",
        Call("kinesisanalyticsv2", "describe_application", {"ApplicationName": "{ApplicationName}"}),
    ),
)
