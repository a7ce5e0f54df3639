"""A bucket with the defaults that every bucket of Mercato has."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

#: What Spark does to write an object, in parts if it is large, and to take back what a failed task wrote.
WRITING = ("AbortMultipartUpload", "ListMultipartUploadParts", "PutObject")
#: How it finds what to take back; of the bucket.
LISTS_UPLOADS = "ListBucketMultipartUploads"


class DataBucket(s3.Bucket):
    """Encrypted, versioned, private, TLS only, access logged."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str,
        key: kms.IKey,
        access_logs: s3.IBucket,
        noncurrent_days: int,
        removal_policy: RemovalPolicy,
        rules: Sequence[s3.LifecycleRule] = (),
    ) -> None:
        """Create the bucket.

        Args:
            noncurrent_days: how long an overwritten or deleted object can be got back.
            rules: lifecycle beyond that.
        """
        cleaning = s3.LifecycleRule(
            noncurrent_version_expiration=Duration.days(noncurrent_days),
            abort_incomplete_multipart_upload_after=Duration.days(7),
            expired_object_delete_marker=not any(rule.expiration for rule in rules),
        )
        super().__init__(
            scope,
            construct_id,
            bucket_name=bucket_name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            lifecycle_rules=[cleaning, *rules],
            removal_policy=removal_policy,
            # CloudFormation deletes no bucket that holds anything, and an old version is something.
            auto_delete_objects=removal_policy == RemovalPolicy.DESTROY,
        )
