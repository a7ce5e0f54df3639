"""An HTTP API: each route to a function, behind the scope that the route asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from aws_cdk import aws_apigatewayv2 as gateway
from constructs import Construct

from infra.cdk.constructs.function import Function
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.identity import IdentityStack
from lambdas.scopes import PEOPLE

#: What the access log says of a request; never its token, nor a household's events.
_ACCESS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "client": "$context.authorizer.claims.client_id",
    "ip": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "integrationMs": "$context.integrationLatency",
    "error": "$context.error.message",
    "authorizerError": "$context.authorizer.error",
}


def route_id(method: str, path: str) -> str:
    """Name of a route's construct, in which a slash would start another one."""
    return f"{method} {path}".replace("/", "|")


class HttpApi(Construct):
    """One HTTP API with one stage.

    Attributes:
        api_id: of the API.
        host: name under which API Gateway answers.
    """

    def __init__(self, stack: PlaneStack, *, identity: IdentityStack, requests_per_second: int) -> None:
        """Create an API without routes.

        Args:
            identity: whose tokens it takes.
            requests_per_second: that a route takes from all clients together.
        """
        super().__init__(stack, "HttpApi")
        self._stack = stack
        api = gateway.CfnApi(
            self,
            "Api",
            name=stack.name("api"),
            protocol_type="HTTP",
            description="Decisions, and events from shops",
        )
        self.api_id = api.ref
        self.host = f"{api.ref}.execute-api.{stack.region}.{stack.url_suffix}"
        self._authorizer = gateway.CfnAuthorizer(
            self,
            "Tokens",
            api_id=api.ref,
            name="cognito",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=gateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=identity.issuer, audience=identity.client_ids
            ),
        )
        logs = stack.log_group("AccessLogs", f"/mercato/{stack.config.name}/api")
        gateway.CfnStage(
            self,
            "Stage",
            api_id=api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=gateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=logs.log_group_arn, format=json.dumps(_ACCESS)
            ),
            default_route_settings=gateway.CfnStage.RouteSettingsProperty(
                detailed_metrics_enabled=True,
                throttling_rate_limit=requests_per_second,
                throttling_burst_limit=2 * requests_per_second,
            ),
        )

    def emulated_host(self, emulator: str) -> str:
        """Name and port under which an emulator answers as this API.

        Args:
            emulator: its address.
        """
        return f"{self.api_id}.execute-api.localhost:{urlsplit(emulator).port}"

    def add(self, function: Function, routes: Sequence[tuple[str, str, str | None]]) -> None:
        """Send routes to a function.

        Args:
            routes: method, path and scope of each, as in `lambdas.scopes`. What is open to everyone, and
                what the function itself opens to people, has no scope here.
        """
        integration = gateway.CfnIntegration(
            self,
            f"To-{function.node.id}",
            api_id=self.api_id,
            integration_type="AWS_PROXY",
            integration_uri=function.arn,
            payload_format_version="2.0",
        )
        for method, path, asked in routes:
            scope = None if asked == PEOPLE else asked
            gateway.CfnRoute(
                self,
                route_id(method, path),
                api_id=self.api_id,
                route_key=f"{method} {path}",
                target=f"integrations/{integration.ref}",
                authorization_type="JWT" if scope else "NONE",
                authorizer_id=self._authorizer.ref if scope else None,
                authorization_scopes=[scope] if scope else None,
            )
        function.invoked_by(
            "apigateway",
            self._stack.format_arn(service="execute-api", resource=self.api_id, resource_name="*/*"),
        )
