"""What meets the outside: files and feeds, the API, search."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.cdk.sections.base import Days, Section

#: Of the API, without the `mercato/` before them.
Scope = Literal["recommend", "payments", "events", "read", "admin"]


class Feed(Section):
    """A feed from outside.

    Attributes:
        url: HTTPS address that answers a JSON array of events.
        minutes: between two looks.
    """

    url: Annotated[str, Field(pattern=r"^https?://")]
    minutes: Annotated[int, Field(ge=1, le=1440)] = 15


class Intake(Section):
    """What comes from outside beside the shops' own calls.

    Attributes:
        landing_days: how long a file stays in the landing bucket.
        concurrency: files, feeds or batches that one function works on at a time, kept for it alone; 0 for
            no such limit.
        feeds: by name; none are looked at unless given.
    """

    landing_days: Days = 30
    concurrency: Annotated[int, Field(ge=0, le=1000)] = 0
    feeds: dict[Literal["weather", "competitor_prices"], Feed] = Field(default={})


#: That WAF counts up to.
_MAX_REQUESTS = 2_000_000_000
_CLIENTS_OF_AN_ADDRESS = 10


class Decisions(Section):
    """The API, who may call it, and how often.

    Attributes:
        memory_mib: of the API's function; its CPU grows with it.
        concurrency: requests that one function answers at a time, kept for it alone; 0 for no such limit.
        requests_per_second: that a route takes from all clients together.
        client_requests_per_5_minutes: that one client may send before it is turned away.
        address_requests_per_5_minutes: that one address may send, with whatever tokens; by default ten times
            what a client may, as several may come from one.
        clients: machines that may call, with their scopes.
        edge: put CloudFront and a web application firewall before the API.
        domain: name of the API beside CloudFront's own; it needs `edge` and `certificate_arn`.
        certificate_arn: of the domain, in us-east-1.
    """

    memory_mib: Annotated[int, Field(ge=512, le=10240)] = 1769
    concurrency: Annotated[int, Field(ge=0, le=1000)] = 0
    requests_per_second: Annotated[int, Field(ge=1, le=10000)] = 100
    client_requests_per_5_minutes: Annotated[int, Field(ge=10, le=_MAX_REQUESTS)] = 30_000
    address_requests_per_5_minutes: Annotated[int | None, Field(ge=10, le=_MAX_REQUESTS)] = None
    clients: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")], tuple[Scope, ...]] = Field(
        default={"shop": ("recommend", "payments", "events", "read")}
    )
    edge: bool = False
    domain: str = ""
    certificate_arn: Annotated[
        str, Field(pattern=r"^$|^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/.+$")
    ] = ""

    @property
    def of_an_address(self) -> int:
        """Requests that one address may send in five minutes."""
        usual = _CLIENTS_OF_AN_ADDRESS * self.client_requests_per_5_minutes
        return self.address_requests_per_5_minutes or min(usual, _MAX_REQUESTS)

    @model_validator(mode="after")
    def _domain_has_certificate(self) -> Decisions:
        if bool(self.domain) != bool(self.certificate_arn):
            raise ValueError("domain and certificate_arn belong together; allowed: both or neither")
        if self.domain and not self.edge:
            raise ValueError("domain is CloudFront's; allowed: only with edge = true")
        return self


#: Disk that AWS gives to a data node of these types at most.
_SMALL_NODES = {"t3.small": 100, "t3.medium": 200}


class Search(Section):
    """The search domain.

    Attributes:
        enabled: provision it; without it the API has no search.
        instance_type: of a data node.
        instances: data nodes; with two or more, a zone may fail. In two zones as many in each.
        volume_gib: disk of a data node.
        dedicated_masters: three nodes that only keep the cluster together.
    """

    enabled: bool = False
    instance_type: Literal["t3.small", "t3.medium", "m7g.medium", "m7g.large", "r7g.large", "r7g.xlarge"] = (
        "t3.small"
    )
    instances: Annotated[int, Field(ge=1, le=20)] = 1
    volume_gib: Annotated[int, Field(ge=10, le=1000)] = 10
    dedicated_masters: bool = False

    @model_validator(mode="after")
    def _disk_of_type(self) -> Search:
        most = _SMALL_NODES.get(self.instance_type, self.volume_gib)
        if self.volume_gib > most:
            raise ValueError(
                f"volume_gib {self.volume_gib} is more than {self.instance_type} takes; allowed: 10 to {most}"
            )
        return self
