"""Whether the region has every service that the templates name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from mercato.cloud.preflight.finding import Finding, blocking, ok, warning
from mercato.cloud.template import Assembly

#: By the middle part of a resource type: what boto3 calls the service, where endpoints differ by region.
SERVICES = {
    "ApiGatewayV2": "apigatewayv2",
    "APS": "amp",
    "Athena": "athena",
    "Cognito": "cognito-idp",
    "EC2": "ec2",
    "EMRServerless": "emr-serverless",
    "ElastiCache": "elasticache",
    "Glue": "glue",
    "Grafana": "grafana",
    "KinesisAnalyticsV2": "kinesisanalyticsv2",
    "Lambda": "lambda",
    "MSK": "kafka",
    "MWAA": "mwaa",
    "Neptune": "neptune",
    "OpenSearchService": "opensearch",
    "SageMaker": "sagemaker",
    "Scheduler": "scheduler",
    "SecretsManager": "secretsmanager",
    "StepFunctions": "stepfunctions",
}
_PUBLISHED = "/aws/service/global-infrastructure/regions/{region}/services/{service}"


def services(session: Any, assembly: Assembly) -> Iterator[Finding]:
    """Ask AWS's public parameters, and the SDK's own list where they don't answer."""
    wanted = sorted({name for kind in assembly.counts if (name := SERVICES.get(kind.split("::")[1]))})
    ssm = session.client("ssm", region_name=assembly.region)
    missing = [name for name in wanted if not _available(session, ssm, assembly.region, name)]
    for name in missing:
        yield blocking(
            "services",
            f"{name} is not offered in {assembly.region}",
            "choose another region in the environment's file, or switch off what needs it",
        )
    if not wanted:
        yield warning("services", "the templates name none that differ by region", "")
    elif not missing:
        yield ok("services", f"{assembly.region} has all {len(wanted)}: {', '.join(wanted)}")


def _available(session: Any, ssm: Any, region: str, service: str) -> bool:
    try:
        ssm.get_parameter(Name=_PUBLISHED.format(region=region, service=service))
    except ClientError:
        # Not every service is published under the name that boto3 has for it.
        return region in session.get_available_regions(service)
    return True
