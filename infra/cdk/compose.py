"""Every stack of an environment, plane by plane: who is told of whom."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import App

from infra.artifacts.models import MODELS
from infra.cdk.config import Config
from infra.cdk.constructs.watched import Watched
from infra.cdk.stacks.airflow import AirflowStack
from infra.cdk.stacks.decisions import DecisionsStack
from infra.cdk.stacks.delivery import DeliveryStack
from infra.cdk.stacks.edge import EdgeStack
from infra.cdk.stacks.features import FeaturesStack
from infra.cdk.stacks.graph import GraphStack
from infra.cdk.stacks.identity import IdentityStack
from infra.cdk.stacks.intake import IntakeStack
from infra.cdk.stacks.lake import LakeStack
from infra.cdk.stacks.models import ModelsStack
from infra.cdk.stacks.network import NetworkStack
from infra.cdk.stacks.observability import ObservabilityStack
from infra.cdk.stacks.processing import ProcessingStack
from infra.cdk.stacks.schedule import ScheduleStack
from infra.cdk.stacks.search import SearchStack
from infra.cdk.stacks.streaming import StreamingStack


@dataclass(frozen=True)
class Ground:
    """What everything else stands on."""

    network: NetworkStack
    lake: LakeStack
    streaming: StreamingStack
    features: FeaturesStack


@dataclass(frozen=True)
class Surfaces:
    """What shops and partners meet; `search` is `None` where products cannot be searched."""

    intake: IntakeStack
    search: SearchStack | None
    decisions: DecisionsStack


def compose(app: App, config: Config) -> None:
    """Add every stack of an environment to the app.

    Raises:
        infra.artifacts.artifact.BuildError: something that a stack ships cannot be built.
    """
    ground = _ground(app, config)
    models = ModelsStack(app, config=config, network=ground.network, lake=ground.lake)
    _jobs(app, config, ground, models)
    surfaces = _surfaces(app, config, ground)
    watched = _watched(config, ground, models, surfaces)
    ObservabilityStack(
        app, config=config, network=ground.network, streaming=ground.streaming, watched=watched
    )
    if config.delivery.repository:
        DeliveryStack(app, config=config)
    if config.decisions.edge:
        EdgeStack(app, config=config, decisions=surfaces.decisions)


def _ground(app: App, config: Config) -> Ground:
    network, lake = NetworkStack(app, config=config), LakeStack(app, config=config)
    return Ground(
        network=network,
        lake=lake,
        streaming=StreamingStack(app, config=config, network=network),
        features=FeaturesStack(app, config=config, network=network, lake=lake),
    )


def _jobs(app: App, config: Config, ground: Ground, models: ModelsStack) -> None:
    ProcessingStack(
        app,
        config=config,
        network=ground.network,
        lake=ground.lake,
        streaming=ground.streaming,
        features=ground.features,
        models=models,
    )
    trained = MODELS if config.models.weekly else ()
    if config.airflow.enabled:
        AirflowStack(app, config=config, network=ground.network, lake=ground.lake, pipelines=trained)
    else:
        ScheduleStack(app, config=config, pipelines=trained)
    if config.graph.enabled:
        GraphStack(app, config=config, network=ground.network, lake=ground.lake)


def _surfaces(app: App, config: Config, ground: Ground) -> Surfaces:
    network, streaming = ground.network, ground.streaming
    search = (
        SearchStack(app, config=config, network=network, streaming=streaming)
        if config.search.enabled
        else None
    )
    return Surfaces(
        intake=IntakeStack(
            app,
            config=config,
            network=network,
            lake=ground.lake,
            streaming=streaming,
            features=ground.features,
        ),
        search=search,
        decisions=DecisionsStack(
            app,
            config=config,
            network=network,
            streaming=streaming,
            features=ground.features,
            identity=IdentityStack(app, config=config),
            endpoint_names={model: f"mercato-{config.name}-{model}" for model in ("recommend", "fraud")},
            search=search,
        ),
    )


def _watched(config: Config, ground: Ground, models: ModelsStack, surfaces: Surfaces) -> Watched:
    intake, search, decisions = surfaces.intake, surfaces.search, surfaces.decisions
    functions = [*intake.functions, decisions.admin, *([search.function] if search else []), models.deployer]
    return Watched(
        api_id=decisions.http.api_id,
        api=decisions.api.function_name,
        collector=decisions.collector.function_name,
        updater=intake.updater.function_name,
        others=tuple(each.function_name for each in functions),
        cluster=f"mercato-{config.name}-events",
        express=config.streaming.kind == "express",
        session_job=f"mercato-{config.name}-sessions",
        cache_nodes=ground.features.nodes,
        endpoints=models.endpoints,
        models=models.groups,
        domain=f"mercato-{config.name}-products" if search else "",
        queues=tuple(each.failed.called for each in (intake, search, models) if each),
        pages=f"mercato-{config.name}-observability-failed" if config.observability.pagerduty else "",
        failed_jobs=f"mercato-{config.name}-failed-jobs",
        failed_training=f"mercato-{config.name}-failed-training",
    )
