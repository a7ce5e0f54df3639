"""A hand-made assembly with every type of resource that has a rule, as `make synth` would write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PIPELINE = {
    "Parameters": [{"Name": "TrainingInstance", "Type": "String", "DefaultValue": "ml.m5.2xlarge"}],
    "Steps": [
        {
            "Name": "process",
            "Type": "Processing",
            "Arguments": {
                "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2}}
            },
        },
        {
            "Name": "gate",
            "Type": "Condition",
            "Arguments": {
                "IfSteps": [
                    {
                        "Name": "train",
                        "Type": "Training",
                        "Arguments": {
                            "ResourceConfig": {
                                "InstanceType": {"Get": "Parameters.TrainingInstance"},
                                "InstanceCount": 1,
                            }
                        },
                    }
                ],
                "ElseSteps": [],
            },
        },
    ],
}

_NETWORK: Mapping[str, tuple[str, Any]] = {
    "Vpc": ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
    "Nat": ("AWS::EC2::NatGateway", {}),
    "Address": ("AWS::EC2::EIP", {"Domain": "vpc"}),
    "S3": ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}),
    "Kms": ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b", "c"]}),
    "FlowLog": ("AWS::EC2::FlowLog", {}),
    "Key": ("AWS::KMS::Key", {}),
    "Logs": ("AWS::Logs::LogGroup", {"RetentionInDays": 365}),
}
_STREAMING: Mapping[str, tuple[str, Any]] = {
    "Express": (
        "AWS::MSK::Cluster",
        {
            "NumberOfBrokerNodes": 3,
            "BrokerNodeGroupInfo": {"InstanceType": "express.m7g.large"},
            "EnhancedMonitoring": "PER_TOPIC_PER_PARTITION",
        },
    ),
    "Provisioned": (
        "AWS::MSK::Cluster",
        {
            "NumberOfBrokerNodes": 2,
            "BrokerNodeGroupInfo": {
                "InstanceType": "kafka.t3.small",
                "StorageInfo": {"EBSStorageInfo": {"VolumeSize": 50}},
            },
        },
    ),
    "Clicks": ("AWS::MSK::Topic", {"PartitionCount": 4}),
    "Sessions": (
        "AWS::KinesisAnalyticsV2::Application",
        {
            "ApplicationConfiguration": {
                "FlinkApplicationConfiguration": {
                    "ParallelismConfiguration": {"Parallelism": 3, "ParallelismPerKPU": 2}
                }
            }
        },
    ),
}
_JOBS: Mapping[str, tuple[str, Any]] = {
    "Bronze": (
        "AWS::Glue::Job",
        {
            "Command": {"Name": "gluestreaming"},
            "WorkerType": "G.025X",
            "NumberOfWorkers": 2,
            "DefaultArguments": {
                "--enable-metrics": "true",
                "--stream": "payments.v1,weather.v1",
                "--follow": "true",
            },
        },
    ),
    "Gold": ("AWS::Glue::Job", {"Command": {"Name": "glueetl"}, "WorkerType": "G.2X", "NumberOfWorkers": 5}),
    "Hourly": (
        "AWS::Glue::Job",
        {
            "Name": "hourly",
            "Command": {"Name": "gluestreaming"},
            "WorkerType": "G.025X",
            "NumberOfWorkers": 2,
        },
    ),
    "Starter": (
        "AWS::Scheduler::Schedule",
        {"ScheduleExpression": "cron(0 * * * ? *)", "Target": {"Input": '{"JobName": "hourly"}'}},
    ),
    "Emr": ("AWS::EMRServerless::Application", {}),
    "Airflow": ("AWS::MWAA::Environment", {"EnvironmentClass": "mw1.small", "MinWorkers": 3}),
    "Nightly": ("AWS::StepFunctions::StateMachine", {}),
    "Poll": ("AWS::Scheduler::Schedule", {"ScheduleExpression": "rate(15 minutes)"}),
    "Raw": ("AWS::S3::Bucket", {}),
    "Refined": ("AWS::S3::Bucket", {}),
    "Database": ("AWS::Glue::Database", {}),
    "Analysts": ("AWS::Athena::WorkGroup", {}),
    "Secret": ("AWS::SecretsManager::Secret", {}),
}
_DECISIONS: Mapping[str, tuple[str, Any]] = {
    "Nodes": (
        "AWS::ElastiCache::ReplicationGroup",
        {
            "Engine": "valkey",
            "CacheNodeType": "cache.t4g.small",
            "NumCacheClusters": 2,
            "SnapshotRetentionLimit": 15,
        },
    ),
    "Search": (
        "AWS::OpenSearchService::Domain",
        {
            "ClusterConfig": {
                "InstanceType": "m7g.large.search",
                "InstanceCount": 3,
                "DedicatedMasterEnabled": True,
                "DedicatedMasterType": "m7g.medium.search",
                "DedicatedMasterCount": 3,
            },
            "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": 20},
        },
    ),
    "Graph": ("AWS::Neptune::DBCluster", {"ServerlessScalingConfiguration": {"MinCapacity": 1}}),
    "Writer": (
        "AWS::Neptune::DBInstance",
        {"DBInstanceClass": "db.serverless", "DBClusterIdentifier": {"Ref": "Graph"}},
    ),
    "Reader": ("AWS::Neptune::DBInstance", {"DBInstanceClass": "db.r7g.large"}),
    "Versions": (
        "AWS::SageMaker::ModelPackageGroup",
        {"Tags": [{"Key": "mercato:answers-on", "Value": "3 ml.c5.large"}]},
    ),
    "Tried": ("AWS::SageMaker::ModelPackageGroup", {}),
    "Training": (
        "AWS::SageMaker::Pipeline",
        {"PipelineDefinition": {"PipelineDefinitionBody": json.dumps(_PIPELINE)}},
    ),
    "Api": (
        "AWS::Lambda::Function",
        {
            "MemorySize": 1024,
            "Architectures": ["arm64"],
            "TracingConfig": {"Mode": "Active"},
            "LoggingConfig": {"LogGroup": {"Ref": "ApiLogs"}},
        },
    ),
    "ApiLogs": ("AWS::Logs::LogGroup", {"RetentionInDays": 30}),
    "Collector": ("AWS::Lambda::Function", {"MemorySize": 512}),
    "Landing": ("AWS::Lambda::Function", {}),
    "Helper": ("AWS::Lambda::Function", {}),
    "Clicks": ("AWS::Lambda::EventSourceMapping", {}),
    "Http": ("AWS::ApiGatewayV2::Api", {}),
    "Stage": ("AWS::ApiGatewayV2::Stage", {"DefaultRouteSettings": {"DetailedMetricsEnabled": True}}),
    "Health": ("AWS::ApiGatewayV2::Route", {}),
    "Popular": ("AWS::ApiGatewayV2::Route", {}),
    "Firewall": ("AWS::WAFv2::WebACL", {"Rules": [{}, {}, {}]}),
    "People": ("AWS::Cognito::UserPool", {"UserPoolTier": "ESSENTIALS"}),
    "Machine": ("AWS::Cognito::UserPoolClient", {"AllowedOAuthFlows": ["client_credentials"]}),
    "Browser": ("AWS::Cognito::UserPoolClient", {"AllowedOAuthFlows": ["code"]}),
    "Alarm": (
        "AWS::CloudWatch::Alarm",
        {"Metrics": [{"MetricStat": {}}, {"MetricStat": {}}, {"Expression": "a/b"}]},
    ),
    "Page": ("AWS::CloudWatch::CompositeAlarm", {}),
    "Dashboard": ("AWS::CloudWatch::Dashboard", {}),
    "Prometheus": ("AWS::APS::Workspace", {}),
    "Scraper": ("AWS::APS::Scraper", {}),
    "Grafana": ("AWS::Grafana::Workspace", {}),
    "Topic": ("AWS::SNS::Topic", {}),
    "Failed": ("AWS::SQS::Queue", {}),
}
_RUNS = {"Api": "function-api", "Collector": "function-collector", "Landing": "function-landing"}
_EDGE: Mapping[str, tuple[str, Any]] = {
    "Cdn": ("AWS::CloudFront::Distribution", {}),
    "Pages": ("AWS::S3::Bucket", {}),
}
STACKS = {"network": _NETWORK, "streaming": _STREAMING, "jobs": _JOBS, "decisions": _DECISIONS, "edge": _EDGE}


def write(folder: Path, stacks: Mapping[str, Mapping[str, tuple[str, Any]]] | None = None) -> Path:
    """Write a cloud assembly of these stacks; of all types, if none are given."""
    artifacts: dict[str, Any] = {"Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}
    for name, resources in (stacks or STACKS).items():
        template = {
            "Resources": {
                logical: {
                    "Type": type_,
                    "Properties": properties,
                    **({"Metadata": {"mercato:artifacts": [_RUNS[logical]]}} if logical in _RUNS else {}),
                }
                for logical, (type_, properties) in resources.items()
            }
        }
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/us-east-1",
            "properties": {"templateFile": f"{name}.template.json", "stackName": f"mercato-test-{name}"},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder
