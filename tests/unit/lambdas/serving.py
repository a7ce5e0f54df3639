"""How the deployer is to serve a model, and what that is called."""

from __future__ import annotations

from lambdas.deployer.plan import Serving

REGION, ACCOUNT = "eu-central-1", "000000000000"
NAME = "mercato-test-recommend"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{NAME}"
PACKAGE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{NAME}/7"
ALARMS = [f"{NAME}-failing", f"{NAME}-slow"]
SERVING = Serving(
    prefix="mercato-test-",
    tags={"mercato:environment": "test", "mercato:plane": "models"},
    alarms={"recommend": ALARMS},
    role=f"arn:aws:iam::{ACCOUNT}:role/serving",
    subnets=["subnet-1", "subnet-2"],
    security_groups=["sg-1"],
    key=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
    capture_uri="s3://models/capture",
    capture_percent=10,
    instance_type="ml.c5.large",
    min_instances=2,
    max_instances=4,
    per_minute=3000,
)
