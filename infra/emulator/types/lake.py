"""S3, the Glue catalogue and Athena."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, native, recorded

TYPES: tuple[CloudType, ...] = (
    native("AWS::S3::Bucket", Call("s3", "head_bucket", {"Bucket": "{id}"})),
    native(
        "AWS::S3::BucketPolicy",
        Call("s3", "get_bucket_policy", {"Bucket": "{Bucket}"}),
        "Policies are kept, not enforced.",
    ),
    native("AWS::Glue::Database", Call("glue", "get_database", {"Name": "{id}"})),
    native(
        "AWS::Glue::Table",
        Call("glue", "get_table", {"DatabaseName": "{DatabaseName}", "Name": "{TableInput.Name}"}),
    ),
    native(
        "AWS::Athena::WorkGroup",
        Call("athena", "get_work_group", {"WorkGroup": "{id}"}),
        "A query succeeds without being run.",
        faked=True,
    ),
    recorded(
        "AWS::Glue::DataQualityRuleset",
        "{Name}",
        "Rulesets are run on the local lake by tests/infra/test_jobs.py.",
    ),
)
