"""Training on SageMaker, the registry of what it brings forth, and the endpoints of what is approved."""

from __future__ import annotations

from aws_cdk import Duration, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from infra.artifacts.catalog import artifact
from infra.artifacts.models import MODELS, SOURCE
from infra.cdk.config import Config
from infra.cdk.constructs.alarms import undoing
from infra.cdk.constructs.bucket import LISTS_UPLOADS, WRITING, DataBucket
from infra.cdk.constructs.container_role import ContainerRole
from infra.cdk.constructs.deployer import Deployer
from infra.cdk.constructs.failed import FailedEvents
from infra.cdk.constructs.job_role import JobRole
from infra.cdk.constructs.training import TrainingPipeline, image
from infra.cdk.constructs.watched import NAMESPACE
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.lake import LakeStack
from infra.cdk.stacks.network import NetworkStack
from lambdas.deployer.plan import Serving
from mercato.cloud.template import ANSWERS_ON

#: Folders of the bucket: what models learn from, their scripts, what runs write, what is kept of requests,
#: what MLflow keeps.
_DATA, _SOURCE, _RUNS, _CAPTURE, _MLFLOW = "datasets", "source", "runs", "capture", "mlflow"
#: What models say of everybody.
_PREDICTIONS = "predictions"
#: In a model's folder of datasets: the object that names the files of the newest.
_MANIFEST = "manifest.json"
#: A dataset is read on the day it is written; a run keeps a copy of what it learned from.
_DATASET_DAYS = 35
#: What a pipeline calls the things that it makes.
_MADE = "pipelines-*"
_JOBS = ("Processing", "Training", "Transform")


class ModelsStack(PlaneStack):
    """Training and serving.

    Attributes:
        groups: names of the model package groups by model.
        endpoints: names of the endpoints by model.
        deployer: function that makes them.
        failed: queue of the events that it could not deal with.
    """

    def __init__(self, scope: Construct, *, config: Config, network: NetworkStack, lake: LakeStack) -> None:
        """Create the models' plane of an environment.

        Raises:
            infra.cdk.constructs.training.PipelineError: the region has no container for them.
        """
        super().__init__(scope, "models", config=config, holds="SageMaker pipelines, registry, endpoints")
        self._network, self._image = network, image(config.region)
        self._bucket_name = lake.bucket_name("models")
        self._bucket = self._create_bucket(lake)
        self._group = self._create_group()
        sources = {model: self._ship(model) for model in MODELS}
        training = self._training_role()
        tracking = self._mlflow(training) if config.models.mlflow else ""
        self.groups = {model: self.name(model) for model in MODELS}
        for model in MODELS:
            self._versions(model)
            TrainingPipeline(
                self,
                model,
                role=training.role_arn,
                defaults=self._defaults(model, sources[model], training, tracking),
            )
        self.endpoints = {model: self.name(model) for model in config.models.endpoints}
        self.failed = FailedEvents(self)
        self.deployer = Deployer(self, network=network, serving=self._serving(), failed=self.failed)

    @property
    def datasets_uri(self) -> str:
        """Folder with a folder of datasets for each model."""
        return self._uri(_DATA)

    @property
    def predictions_uri(self) -> str:
        """Folder with what models say of everybody."""
        return self._uri(_PREDICTIONS)

    @property
    def captures_uri(self) -> str:
        """Folder with a folder of kept requests for each model that has an endpoint."""
        return self._uri(_CAPTURE)

    def grant_datasets(self, role: JobRole) -> None:
        """Let a job write datasets, and read what it computes on the way."""
        self._grant_bucket(role)
        # Spark also looks whether the folder's own name is an object.
        datasets = self._objects(_DATA)
        role.allow("s3", ("DeleteObject", *WRITING), [datasets])
        role.allow("s3", ("GetObject",), [datasets, datasets.removesuffix("/*")])
        role.allow("s3", (LISTS_UPLOADS,), [self._bucket.bucket_arn])

    def grant_scores(self, role: JobRole) -> None:
        """Let a job fetch approved versions and what they were asked, write what they say, and count it."""
        self._grant_bucket(role)
        role.allow("s3", ("GetObject",), [self._objects(_CAPTURE), self._objects(_RUNS)])
        role.allow("s3", ("PutObject",), [self._objects(_PREDICTIONS)])
        versions = [self._arn("model-package", f"{self.name(model)}/*") for model in MODELS]
        role.allow("sagemaker", ("DescribeModelPackage", "ListModelPackages"), versions)
        counts = {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}
        role.allow("cloudwatch", ("PutMetricData",), ["*"], counts)

    def _grant_bucket(self, role: JobRole) -> None:
        role.allow("s3", ("GetBucketLocation", "ListBucket"), [self._bucket.bucket_arn])
        role.allow("kms", ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"), [self.key.key_arn])

    def _objects(self, folder: str) -> str:
        return self.format_arn(
            service="s3", region="", account="", resource=self._bucket_name, resource_name=f"{folder}/*"
        )

    def _uri(self, *parts: str) -> str:
        return "/".join((f"s3://{self._bucket_name}", *parts))

    def _create_bucket(self, lake: LakeStack) -> DataBucket:
        """A bucket of this plane's own: who trains models reads nothing else of the lake."""
        captured = s3.LifecycleRule(
            prefix=f"{_CAPTURE}/", expiration=Duration.days(self.config.models.capture_days)
        )
        datasets = s3.LifecycleRule(prefix=f"{_DATA}/", expiration=Duration.days(_DATASET_DAYS))
        return DataBucket(
            self,
            "Bucket",
            bucket_name=self._bucket_name,
            key=self.key,
            access_logs=lake.access_logs,
            noncurrent_days=self.config.lake.noncurrent_days,
            rules=[captured, datasets],
            removal_policy=self.removal_policy,
        )

    def _create_group(self) -> ec2.SecurityGroup:
        """Nobody gets in; out to AWS's services alone, above all S3."""
        group = ec2.SecurityGroup(
            self,
            "Group",
            vpc=self._network.vpc,
            description="Containers of SageMaker",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS services")
        self._network.open_endpoints(self, group, "Models")
        return group

    def _versions(self, model: str) -> None:
        group = sagemaker.CfnModelPackageGroup(
            self,
            f"Versions-{model}",
            model_package_group_name=self.name(model),
            model_package_group_description=f"Versions of the model {model}",
        )
        group.apply_removal_policy(self.removal_policy)
        sizes = self.config.models
        if model in sizes.endpoints:
            # No template has the endpoint; who counts what a month costs finds it here.
            Tags.of(group).add(ANSWERS_ON, f"{sizes.min_instances} {sizes.endpoint_instance}")

    def _ship(self, model: str) -> str:
        """Copy a model's source to a folder of its own: the model's versions go on to need theirs."""
        name = f"model-source-{model}"
        folder = f"{_SOURCE}/{artifact(name).digest()[:8]}/{model}"
        # By name: the grants of the copying function then say which bucket they mean.
        destination = s3.Bucket.from_bucket_attributes(
            self, f"Named-{model}", bucket_name=self._bucket_name, encryption_key=self.key
        )
        shipped = s3_deployment.BucketDeployment(
            self,
            f"Ship-{model}",
            sources=[s3_deployment.Source.asset(str(artifact(name).build()))],
            destination_bucket=destination,
            destination_key_prefix=folder,
            memory_limit=1024,
            prune=False,
            # Registered versions outlive the deploy that shipped their source.
            retain_on_delete=True,
            log_group=self.log_group(f"ShipLogs-{model}", f"/mercato/{self.config.name}/ship/{name}"),
        )
        shipped.node.add_dependency(self._bucket)
        return self._uri(folder, SOURCE)

    def _container_role(self, construct_id: str, description: str) -> ContainerRole:
        return ContainerRole(
            self,
            construct_id,
            description=description,
            vpc=self._network.vpc.vpc_arn,
            bucket=self._bucket_name,
            registry=self._image.partition(".")[0],
        )

    def _training_role(self) -> ContainerRole:
        """Of the pipelines and of the jobs that they start."""
        role = self._container_role("TrainingRole", "What pipelines and their jobs may do")
        role.reads(_DATA, _SOURCE, _RUNS)
        role.writes(_RUNS)
        for kind in _JOBS:
            jobs = self._arn(f"{kind.lower()}-job", _MADE)
            actions = (f"Create{kind}Job", f"Describe{kind}Job", f"Stop{kind}Job", "AddTags")
            role.allow("sagemaker", actions, [jobs])
        role.allow("sagemaker", ("CreateModel", "DescribeModel", "AddTags"), [self._arn("model", _MADE)])
        groups = [self._arn("model-package-group", self.name(model)) for model in MODELS]
        versions = [self._arn("model-package", f"{self.name(model)}/*") for model in MODELS]
        role.allow("sagemaker", ("DescribeModelPackageGroup",), groups)
        registering = ("CreateModelPackage", "DescribeModelPackage", "AddTags")
        role.allow("sagemaker", registering, [*groups, *versions])
        to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        role.allow("iam", ("PassRole",), [role.role_arn], to_sagemaker)
        # SageMaker encrypts the disks of a job on behalf of whoever starts it.
        for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        role.allow("kms", ("CreateGrant",), [self.key.key_arn], for_aws)
        return role

    def _arn(self, kind: str, name: str) -> str:
        return self.format_arn(service="sagemaker", resource=kind, resource_name=name)

    def _mlflow(self, training: ContainerRole) -> str:
        """ARN of a serverless MLflow app, to which training jobs may tell of their runs."""
        role = self._container_role("MlflowRole", "What MLflow may do with what it keeps")
        for each in (role, training):
            each.reads(_MLFLOW)
            each.writes(_MLFLOW)
        app = sagemaker.CfnMlflowApp(
            self,
            "Mlflow",
            name=self.name("mlflow"),
            role_arn=role.role_arn,
            artifact_store_uri=self._uri(_MLFLOW),
            model_registration_mode="AutoModelRegistrationDisabled",
        )
        app.node.add_dependency(role)
        app.apply_removal_policy(self.removal_policy)
        training.allow("sagemaker", ("CallMlflowAppApi",), [app.attr_arn])
        return app.attr_arn

    def _defaults(self, model: str, source: str, role: ContainerRole, tracking: str) -> dict[str, str]:
        """What the model's pipeline is told unless a run is told otherwise."""
        sizes = self.config.models
        first, second = self._network.private_subnet_ids[:2]
        return {
            "RoleArn": role.role_arn,
            "ImageUri": self._image,
            "SourceUri": source,
            "DataUri": self._uri(_DATA, model, _MANIFEST),
            "OutputUri": self._uri(_RUNS, model),
            "KmsKeyArn": self.key.key_arn,
            "SubnetA": first,
            "SubnetB": second,
            "SecurityGroupId": self._group.security_group_id,
            "ModelPackageGroup": self.name(model),
            "MlflowArn": tracking,
            "TrainingInstanceType": sizes.training_instance,
            "InstanceType": sizes.job_instance,
            "ApprovalStatus": "Approved" if sizes.approved_by_gate else "PendingManualApproval",
        }

    def _serving(self) -> Serving:
        """How endpoints are made; their logs and their role are there before them."""
        for model, endpoint in self.endpoints.items():
            self.log_group(f"EndpointLogs-{model}", f"/aws/sagemaker/Endpoints/{endpoint}")
        role = self._container_role("ServingRole", "What models that answer may do")
        role.reads(_SOURCE, _RUNS)
        role.writes(_CAPTURE)
        sizes = self.config.models
        return Serving(
            prefix=self.name(""),
            tags=self.told_by,
            alarms={model: [self.name(alarm) for alarm in undoing(model)] for model in self.endpoints},
            role=role.role_arn,
            subnets=self._network.private_subnet_ids,
            security_groups=[self._group.security_group_id],
            key=self.key.key_arn,
            capture_uri=self._uri(_CAPTURE),
            capture_percent=sizes.capture_percent,
            instance_type=sizes.endpoint_instance,
            min_instances=sizes.min_instances,
            max_instances=sizes.max_instances,
            per_minute=sizes.requests_per_minute,
        )
