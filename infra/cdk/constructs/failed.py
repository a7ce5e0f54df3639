"""Where events wait for a person that a function could not take in."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs

from infra.cdk.stacks.base import PlaneStack


class FailedEvents(sqs.Queue):
    """A queue of the plane's own.

    Attributes:
        called: its name, known before the deploy.
    """

    def __init__(self, stack: PlaneStack) -> None:
        """Create the queue of a stack."""
        self.called = stack.name(f"{stack.plane}-failed")
        super().__init__(
            stack,
            "Failed",
            queue_name=self.called,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=stack.key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=stack.removal_policy,
        )
