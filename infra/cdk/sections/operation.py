"""How it is deployed and watched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from infra.cdk.sections.base import Section

#: What CloudWatch Logs accepts, in days.
LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]


class Delivery(Section):
    """Deploys by GitHub's workflows.

    Attributes:
        repository: OWNER/NAME whose workflows may deploy; none, if nothing is deployed from GitHub.
        provider: create GitHub's identity provider; an account can have only one.
    """

    repository: Annotated[str, Field(pattern=r"^$|^[\w.-]+/[\w.-]+$")] = ""
    provider: bool = True


class Engines(Section):
    """Engines that stand beside an emulator of AWS, which has no Kafka and no Valkey to give.

    Attributes:
        kafka_bootstrap: address of a broker without sign-in.
        redis_url: address of a server without a user.
        aws_url: address of the emulator, at which people sign in and the API answers.
    """

    kafka_bootstrap: str = ""
    redis_url: str = ""
    aws_url: str = ""


class Observability(Section):
    """What is kept of how it went.

    Attributes:
        log_days: how long logs are kept.
        latency_ms: above which one request in a hundred is an alarm.
        emails: of people who are told of alarms; each must accept by mail.
        pagerduty: tell PagerDuty; put its key into the secret `mercato-ENV-pagerduty`.
        budget_usd: a month; above four fifths of it people are told. 0 for none.
        prometheus: keep the brokers' own metrics in Managed Prometheus.
        grafana: a Managed Grafana workspace; the account needs IAM Identity Center for it.
    """

    log_days: LogDays = 30
    latency_ms: Annotated[int, Field(ge=10, le=10000)] = 500
    emails: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    pagerduty: bool = False
    budget_usd: Annotated[int, Field(ge=0)] = 0
    prometheus: bool = False
    grafana: bool = False
