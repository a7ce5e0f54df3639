"""A role to which rights are added one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aws_cdk import aws_iam as iam


class ExactRole(iam.Role):
    """A role that may do what it is allowed, and nothing else."""

    def allow(
        self,
        service: str,
        actions: Iterable[str],
        resources: Sequence[str],
        conditions: dict[str, Any] | None = None,
    ) -> None:
        """Let it do exactly this.

        Args:
            actions: without the service before them.
        """
        self.add_to_policy(
            iam.PolicyStatement(
                actions=[f"{service}:{action}" for action in actions],
                resources=[*resources],
                conditions=conditions,
            )
        )
