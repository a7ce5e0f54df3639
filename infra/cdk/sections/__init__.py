"""What can be configured of each plane: sizes, counts, retention, what is there at all."""

from infra.cdk.sections.base import Section
from infra.cdk.sections.ground import Features, Graph, Lake, Network, Streaming
from infra.cdk.sections.jobs import Airflow, Models, Processing
from infra.cdk.sections.operation import Delivery, Engines, Observability
from infra.cdk.sections.surfaces import Decisions, Intake, Scope, Search

__all__ = [
    "Airflow",
    "Decisions",
    "Delivery",
    "Engines",
    "Features",
    "Graph",
    "Intake",
    "Lake",
    "Models",
    "Network",
    "Observability",
    "Processing",
    "Scope",
    "Search",
    "Section",
    "Streaming",
]
