"""A topic of MSK as the source of a function's events."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from infra.cdk.constructs.function import Function
from infra.cdk.stacks.streaming import StreamingStack


def read_topic(
    function: Function,
    streaming: StreamingStack,
    *,
    topic: str,
    group: str,
    failed: sqs.IQueue | None = None,
    from_the_start: bool = False,
) -> None:
    """Have Lambda give a function what comes to a topic, in batches.

    Args:
        group: consumer group, no other source's.
        failed: takes the places of batches that failed eleven times. Without one a batch is given again until
            it is done or its events expire, and the others of its partition wait.
        from_the_start: give it what was there before, too.
    """
    streaming.grant(function.role, reads=[topic], groups=[group])
    cluster = streaming.cluster.ref
    function.allow(
        ["kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"], [cluster]
    )
    function.allow(["kafka-cluster:DescribeClusterDynamicConfiguration"], [cluster])
    source = lambda_.CfnEventSourceMapping(
        function,
        f"Source-{topic}",
        function_name=function.arn,
        event_source_arn=cluster,
        topics=[topic],
        amazon_managed_kafka_event_source_config=lambda_.CfnEventSourceMapping.AmazonManagedKafkaEventSourceConfigProperty(
            consumer_group_id=group
        ),
        starting_position="TRIM_HORIZON" if from_the_start else "LATEST",
        batch_size=500,
        maximum_batching_window_in_seconds=0,
        # With a destination Lambda tries ten times more; another number is for pollers that are paid for by
        # the hour (provisioned mode).
        destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=failed.queue_arn)
        )
        if failed
        else None,
    )
    # Lambda looks at its rights when the source is made.
    source.node.add_dependency(function.role)
