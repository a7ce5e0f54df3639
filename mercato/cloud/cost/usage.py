"""What is assumed of a month where the templates cannot say it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mercato.errors import MercatoError

DEFAULTS = Path(__file__).parents[1] / "usage.toml"
#: As AWS counts a month, in hours.
HOURS = 730.0
SECONDS = HOURS * 3600
_GB = 1e9


class UsageError(MercatoError):
    """A usage file names something unknown, or a value that cannot be."""


def _a(description: str) -> Any:
    return Field(ge=0, allow_inf_nan=False, description=description)


class Usage(BaseModel):
    """Assumptions; their values are in `usage.toml`, what each means stands beside it here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decisions: Annotated[float, _a("answers of the decision API a month")]
    events_per_second: Annotated[float, _a("events into Kafka, mean of the month")]
    event_bytes: Annotated[float, _a("size of an event")]
    answer_bytes: Annotated[float, _a("size of an answer, sent to the internet")]
    requests_per_token: Annotated[float, Field(gt=0, description="decisions that one machine token serves")]

    kafka_retention_days: Annotated[float, _a("how long Kafka keeps an event")]
    lake_gb: Annotated[float, _a("in all buckets of the lake together")]
    bucket_gb: Annotated[float, _a("in any other bucket")]
    cache_gb: Annotated[float, _a("online features and sessions")]
    graph_gb: Annotated[float, _a("in Neptune")]

    api_ms: Annotated[float, _a("the decision API's function works on one answer")]
    event_batch: Annotated[float, Field(gt=0, description="events in one call of a function")]
    function_ms: Annotated[float, _a("any other function works on one call")]
    other_calls: Annotated[float, _a("calls a month of a function that takes neither decisions nor events")]

    batch_runs: Annotated[float, _a("runs a month of a batch job: one a night")]
    batch_minutes: Annotated[
        float, Field(ge=1, description="run of a batch job; one minute if nothing is new")
    ]
    copy_minutes: Annotated[
        float, Field(ge=1, description="run of a job that copies what came since the last one")
    ]
    emr_vcpu_hours: Annotated[float, _a("on EMR Serverless, with 4 GB each")]
    athena_tb: Annotated[float, _a("scanned by people's questions")]
    training_runs: Annotated[float, _a("runs a month of a SageMaker pipeline: one a week")]
    training_step_minutes: Annotated[float, _a("step of a SageMaker pipeline")]

    graph_ncus: Annotated[float, _a("Neptune capacity units in use, mean of the month")]
    graph_requests: Annotated[float, _a("I/O requests to Neptune's storage")]

    nat_gb: Annotated[float, _a("through all NAT gateways together")]
    endpoint_gb: Annotated[float, _a("through all interface endpoints together")]
    key_requests: Annotated[float, _a("to each key")]

    request_log_bytes: Annotated[float, _a("logged of a decision")]
    group_log_gb: Annotated[float, _a("in each log group, traffic or not")]
    flow_log_gb: Annotated[float, _a("logged of the network's connections")]
    broker_metrics: Annotated[float, _a("metrics of a broker that MSK charges for")]
    topic_metrics: Annotated[float, _a("the same of a topic on a broker")]
    partition_metrics: Annotated[float, _a("the same of a partition")]
    job_metrics: Annotated[float, _a("metrics of a Glue job while it runs")]
    samples_per_second: Annotated[float, _a("kept in Managed Prometheus")]
    samples_read_per_second: Annotated[float, _a("that its collector looks at")]

    users: Annotated[float, _a("people who sign in")]
    grafana_editors: Annotated[float, _a("people who edit in Managed Grafana")]
    grafana_viewers: Annotated[float, _a("people who look at Managed Grafana")]

    @property
    def events(self) -> float:
        """Events a month."""
        return self.events_per_second * SECONDS

    @property
    def event_gb(self) -> float:
        """Gigabytes of events a month."""
        return self.events * self.event_bytes / _GB

    @property
    def kafka_gb(self) -> float:
        """Gigabytes that Kafka holds at a time, one copy of each."""
        return self.events_per_second * self.event_bytes * self.kafka_retention_days * 86_400 / _GB

    @property
    def answer_gb(self) -> float:
        """Gigabytes of answers a month."""
        return self.decisions * self.answer_bytes / _GB

    @property
    def request_log_gb(self) -> float:
        """Gigabytes logged of decisions a month."""
        return self.decisions * self.request_log_bytes / _GB

    @property
    def api_requests(self) -> float:
        """Requests a month through API Gateway: decisions, and events in batches."""
        return self.decisions + self.events / self.event_batch


def load(file: Path = DEFAULTS, overrides: Mapping[str, float | None] | None = None) -> Usage:
    """Assumptions of a file; what it leaves out is as in the defaults.

    Args:
        overrides: values that win over the file; `None` for none.

    Raises:
        UsageError: one line names the key, the value and what is allowed.
    """
    try:
        values = tomllib.loads(DEFAULTS.read_text()) | tomllib.loads(file.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"the usage file {file} cannot be read: {error}.") from error
    options = {key: value for key, value in (overrides or {}).items() if value is not None}
    try:
        return Usage.model_validate(values | options)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        origin = "option" if key in options else file.name
        raise UsageError(f"{origin}: {key} = {first['input']!r}: {first['msg']}.") from error
