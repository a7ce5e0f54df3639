"""S3, the Glue catalogue, Lake Formation and Athena."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, Make, made, native, recorded

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
        "AWS::Glue::Crawler", Call("glue", "get_crawler", {"Name": "{id}"}), "Crawls nothing.", faked=True
    ),
    made(
        "AWS::LakeFormation::PrincipalPermissions",
        Make(
            "{logical}-{hash}",
            {"PrincipalIdentifier": "{Principal.DataLakePrincipalIdentifier}", "ResourceIdentifier": "{id}"},
            Call("lakeformation", "grant_permissions"),
            Call(
                "lakeformation",
                "revoke_permissions",
                {"Principal": "{Principal}", "Resource": "{Resource}", "Permissions": "{Permissions}"},
            ),
        ),
        Call("lakeformation", "list_permissions", {}, "PrincipalResourcePermissions"),
        "Grants are kept, not enforced.",
    ),
    made(
        "AWS::LakeFormation::Resource",
        Make(
            "{ResourceArn}",
            {},
            Call("lakeformation", "register_resource"),
            Call("lakeformation", "deregister_resource", {"ResourceArn": "{ResourceArn}"}),
        ),
        Call("lakeformation", "describe_resource", {"ResourceArn": "{id}"}),
    ),
    made(
        "AWS::LakeFormation::DataLakeSettings",
        Make(
            "{account}",
            {},
            Call("lakeformation", "put_data_lake_settings"),
            None,
            lambda given: {
                "DataLakeSettings": {
                    "DataLakeAdmins": given.get("Admins", []),
                    "CreateDatabaseDefaultPermissions": given.get("CreateDatabaseDefaultPermissions", []),
                    "CreateTableDefaultPermissions": given.get("CreateTableDefaultPermissions", []),
                }
            },
        ),
        Call("lakeformation", "get_data_lake_settings"),
    ),
    native(
        "AWS::Athena::WorkGroup",
        Call("athena", "get_work_group", {"WorkGroup": "{id}"}),
        "A query succeeds without being run.",
        faked=True,
    ),
    recorded("AWS::Athena::NamedQuery", "{logical}-{hash}", NamedQueryId="{id}"),
    recorded(
        "AWS::Glue::DataQualityRuleset",
        "{Name}",
        "Rulesets are run on the local lake by tests/infra/test_jobs.py.",
    ),
)
