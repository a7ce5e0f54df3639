"""What runs by itself: batch jobs, what starts them, training, and the endpoints of what it made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from infra.artifacts.models import MODELS
from infra.cdk.sections.base import Days, Section
from mercato.decisions.price import COST_SHARE


def _a_model(value: str) -> str:
    if value not in MODELS:
        raise ValueError(f"allowed: {', '.join(MODELS)}")
    return value


class Processing(Section):
    """Glue and EMR Serverless.

    Attributes:
        worker_type: of batch jobs.
        workers: of a batch job.
        continuous: copy events to bronze within two minutes, by a job that never ends; otherwise once an
            hour, for a small part of the cost.
        emr: provision the EMR Serverless application beside Glue, and the role `mercato-ENV-emr-jobs` for
            jobs that people start there; nothing of Mercato starts any.
        emr_max_vcpu: ceiling of its size.
    """

    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    workers: Annotated[int, Field(ge=2, le=100)] = 2
    continuous: bool = False
    emr: bool = False
    emr_max_vcpu: Annotated[int, Field(ge=4, le=4000)] = 32


class Airflow(Section):
    """Managed Airflow.

    Attributes:
        enabled: have Airflow run the batch jobs; otherwise a state machine does, in the same order.
        environment_class: size of it.
        max_workers: that it may grow to.
        private_page: its page is reached from inside the VPC only.
    """

    enabled: bool = False
    environment_class: Literal["mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge"] = "mw1.small"
    max_workers: Annotated[int, Field(ge=1, le=25)] = 2
    private_page: bool = True


class Models(Section):
    """Training and serving.

    Attributes:
        endpoints: models that answer at once; a model gets its endpoint when a version of it is approved.
        endpoint_instance: of an endpoint; one of those with which versions are registered.
        min_instances: of an endpoint, always; with two or more a new version gets little traffic first.
        max_instances: that it may grow to.
        requests_per_minute: that one instance should get.
        capture_percent: of requests and answers that are kept; 0 for none.
        capture_days: how long they are kept.
        training_instance: on which models learn, as spot.
        job_instance: on which data is checked, models are judged and rows are scored.
        approved_by_gate: a version that passes its gate answers without a person's word.
        weekly: train every model each week.
        cost_share: what a unit costs, as a share of its usual price; the lake knows no costs.
        demographics: file in gold's bucket with what is known of households, by which models are judged.
        mlflow: keep runs in a serverless MLflow app.
    """

    endpoints: tuple[Annotated[str, AfterValidator(_a_model)], ...] = ("recommend",)
    endpoint_instance: Literal["ml.c5.large", "ml.m5.large", "ml.m5.xlarge"] = "ml.c5.large"
    min_instances: Annotated[int, Field(ge=1, le=50)] = 1
    max_instances: Annotated[int, Field(ge=1, le=100)] = 2
    requests_per_minute: Annotated[int, Field(ge=10, le=100_000)] = 3000
    capture_percent: Annotated[int, Field(ge=0, le=100)] = 10
    capture_days: Days = 30
    training_instance: Literal["ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge"] = "ml.m5.xlarge"
    job_instance: Literal["ml.m5.large", "ml.m5.xlarge"] = "ml.m5.large"
    approved_by_gate: bool = False
    weekly: bool = False
    cost_share: Annotated[float, Field(gt=0, lt=1)] = COST_SHARE
    demographics: Annotated[str, Field(pattern=r"^$|^[\w-][\w./-]*\.(parquet|csv)$")] = ""
    mlflow: bool = False

    @model_validator(mode="after")
    def _grows(self) -> Models:
        if self.max_instances < self.min_instances:
            raise ValueError(
                f"max_instances {self.max_instances} is below min_instances; "
                f"allowed: {self.min_instances} or more"
            )
        return self
