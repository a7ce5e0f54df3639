"""What runs the batch jobs every night: a state machine, for a small part of what Airflow costs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import ArnFormat
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.constructs.job_rights import start_jobs
from infra.cdk.constructs.nightly import MAINTAIN, TRAIN, definition
from infra.cdk.contracts import contracts
from infra.cdk.stacks.base import PlaneStack

#: When each starts, as in the DAGs, and with what.
#: A day of the figures ends at 05:00 UTC (glue_jobs/gold/weeks.py): half an hour later its events are in.
_STARTS = {"nightly": ("cron(30 5 * * ? *)", {}), "weekly": ("cron(0 12 ? * SUN *)", {MAINTAIN: True})}
#: After the night's jobs.
_TRAINING = {"training": ("cron(0 9 ? * MON *)", {TRAIN: True})}
#: What Step Functions asks for to log and to trace at all; these actions have no resource.
_LOGS_AND_TRACES = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


class ScheduleStack(PlaneStack):
    """The clock of a platform without Airflow."""

    def __init__(self, scope: Construct, *, config: Config, pipelines: Sequence[str] = ()) -> None:
        """Create the clock of an environment.

        Args:
            pipelines: training pipelines of SageMaker, without the deployment's prefix.
        """
        super().__init__(scope, "schedule", config=config, holds="the nightly run of the batch jobs")
        self._pipelines = pipelines
        machine = self._machine()
        starter = iam.Role(
            self,
            "StarterRole",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description="Starts the nightly run",
        )
        starter.add_to_policy(iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.ref]))
        for name, (schedule, state_input) in (_STARTS | (_TRAINING if pipelines else {})).items():
            events.CfnRule(
                self,
                name.title(),
                name=self.name(name),
                description=f"Starts the {name} run",
                schedule_expression=schedule,
                targets=[
                    events.CfnRule.TargetProperty(
                        id=name, arn=machine.ref, role_arn=starter.role_arn, input=json.dumps(state_input)
                    )
                ],
            )

    def _machine(self) -> stepfunctions.CfnStateMachine:
        log = self.log_group("Logs", f"/aws/vendedlogs/states/{self.name('nightly')}")
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description="Runs the batch jobs in order",
        )
        role.add_to_policy(start_jobs(self))
        if self._pipelines:
            pipelines = [
                self.format_arn(service="sagemaker", resource="pipeline", resource_name=self.name(name))
                for name in self._pipelines
            ]
            role.add_to_policy(
                iam.PolicyStatement(actions=["sagemaker:StartPipelineExecution"], resources=pipelines)
            )
        role.add_to_policy(iam.PolicyStatement(actions=list(_LOGS_AND_TRACES), resources=["*"]))
        role.add_to_policy(
            iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[self.key.key_arn])
        )
        # The machine's log says what a run was given: delivery has to read what the key hides.
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt*"],
                principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                resources=["*"],
                conditions={
                    "StringLike": {
                        "kms:EncryptionContext:SourceArn": self.format_arn(
                            service="logs", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME
                        )
                    }
                },
            )
        )
        batch = [job for job in contracts().jobs if job.kind == "batch"]
        machine = stepfunctions.CfnStateMachine
        created = machine(
            self,
            "Machine",
            state_machine_name=self.name("nightly"),
            role_arn=role.role_arn,
            definition_string=json.dumps(definition(batch, self.name(""), self._pipelines)),
            logging_configuration=machine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=True,
                destinations=[
                    machine.LogDestinationProperty(
                        cloud_watch_logs_log_group=machine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log.log_group_arn
                        )
                    )
                ],
            ),
            tracing_configuration=machine.TracingConfigurationProperty(enabled=True),
            encryption_configuration=machine.EncryptionConfigurationProperty(
                type="CUSTOMER_MANAGED_KMS_KEY",
                kms_key_id=self.key.key_arn,
                kms_data_key_reuse_period_seconds=300,
            ),
        )
        created.node.add_dependency(role)
        return created
