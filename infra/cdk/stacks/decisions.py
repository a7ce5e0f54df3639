"""The API, the collector and the admin panel on Lambda, behind an HTTP API that knows its callers."""

from __future__ import annotations

from collections.abc import Mapping

from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.constructs.function import Function
from infra.cdk.constructs.gateway import HttpApi
from infra.cdk.constructs.sign_in import SignIn
from infra.cdk.contracts import contracts
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.clients import kafka_environment, store_environment
from infra.cdk.stacks.features import FeaturesStack
from infra.cdk.stacks.identity import IdentityStack
from infra.cdk.stacks.network import NetworkStack
from infra.cdk.stacks.search import SearchStack
from infra.cdk.stacks.streaming import StreamingStack
from lambdas.scopes import ADMIN_ROUTES, EVENTS, ROUTES

#: Longer than a list may be held back until it changes (10 s), shorter than API Gateway waits (30 s).
_TIMEOUT_SECONDS = 20


class DecisionsStack(PlaneStack):
    """What shops call.

    Attributes:
        http: the HTTP API.
        api: function that decides.
        collector: function that takes events.
        admin: function by which people review payments and decide on prices.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        network: NetworkStack,
        streaming: StreamingStack,
        features: FeaturesStack,
        identity: IdentityStack,
        endpoint_names: Mapping[str, str],
        search: SearchStack | None,
    ) -> None:
        """Create the API of an environment.

        Args:
            endpoint_names: SageMaker endpoints of the models `recommend` and `fraud`. Until there is one,
                popular products answer, and payments are not decided on.
            search: `None` where products cannot be searched.
        """
        super().__init__(scope, "decisions", config=config, holds="the API, the collector, the admin panel")
        self._network = network
        kafka = kafka_environment(config, streaming)
        stores = store_environment(config, features) | (search.variables if search else {})
        scorers = {
            "MERCATO_SCORER_ENDPOINT": endpoint_names["recommend"],
            "MERCATO_FRAUD_SCORER_ENDPOINT": endpoint_names["fraud"],
        }
        self.api = self._function("api", kafka | stores | scorers)
        if search:
            search.grant_search(self.api.role)
        features.grant(self.api.role)
        streaming.grant(self.api.role, writes=["payment_decisions.v1"])
        self.api.allow(
            ["sagemaker:InvokeEndpoint"],
            [
                self.format_arn(service="sagemaker", resource="endpoint", resource_name=name)
                for name in endpoint_names.values()
            ],
        )
        self.collector = self._function("collector", kafka)
        streaming.grant(
            self.collector.role, writes=[topic.name for topic in contracts().topics if not topic.derived]
        )
        self.http = HttpApi(self, identity=identity, requests_per_second=config.decisions.requests_per_second)
        sign_in = SignIn(self, identity=identity, http=self.http)
        self.admin = self._function(
            "admin", kafka | store_environment(config, features) | sign_in.environment
        )
        sign_in.grant(self.admin)
        features.grant(self.admin.role)
        streaming.grant(self.admin.role, writes=["payment_outcomes.v1", "price_decisions.v1"])
        self.http.add(self.collector, [route for route in ROUTES if route[2] == EVENTS])
        self.http.add(self.api, [route for route in ROUTES if route[2] != EVENTS])
        self.http.add(self.admin, ADMIN_ROUTES)

    def _function(self, name: str, environment: Mapping[str, str]) -> Function:
        return Function(
            self,
            name,
            network=self._network,
            environment=environment,
            memory_mib=self.config.decisions.memory_mib,
            timeout_seconds=_TIMEOUT_SECONDS,
            concurrency=self.config.decisions.concurrency,
        )
