"""Container repositories and what budgets do."""

from __future__ import annotations

from collections.abc import Iterator

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.schedule import DAYS
from mercato.cloud.template import Resource


def _repository(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="images", price="ecr.storage", varying=context.usage.image_gb, basis="image_gb")


def _budget_action(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="budget actions", price="budgets.action", fixed=DAYS, basis="every day")


RULES = {"AWS::ECR::Repository": _repository, "AWS::Budgets::BudgetsAction": _budget_action}
