"""Cognito: who may call the API. Machines have credentials of their own, people sign in to the panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from aws_cdk import Duration
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.sections import Scope
from infra.cdk.stacks.base import PlaneStack

#: Identifier before each scope, as in `lambdas.scopes`.
RESOURCE = "mercato"
_SCOPES = {
    "recommend": "Ask for recommendations",
    "payments": "Ask whether to let a card payment pass",
    "events": "Send events",
    "read": "See products and households",
    "admin": "Review payments, and see how the API does",
}


class IdentityStack(PlaneStack):
    """The user pool.

    Attributes:
        pool_id: of the user pool.
        issuer: address that tokens name as theirs.
        client_ids: machines whose tokens the API takes.
    """

    def __init__(self, scope: Construct, *, config: Config) -> None:
        """Create the user pool of an environment."""
        super().__init__(scope, "identity", config=config, holds="Cognito: clients, people, scopes")
        self._pool = self._user_pool()
        self.pool_id = self._pool.user_pool_id
        self.issuer = f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool_id}"
        self._pool.add_domain(
            "Domain",
            cognito_domain=cognito.CognitoDomainOptions(domain_prefix=f"{self.name('')}{self.account}"),
        )
        server = cognito.CfnUserPoolResourceServer(
            self,
            "Scopes",
            user_pool_id=self.pool_id,
            identifier=RESOURCE,
            name="Mercato API",
            scopes=[
                cognito.CfnUserPoolResourceServer.ResourceServerScopeTypeProperty(
                    scope_name=name, scope_description=_SCOPES[name]
                )
                for name in get_args(Scope)
            ],
        )
        clients = [self._machine(name, scopes) for name, scopes in config.decisions.clients.items()]
        for client in clients:
            client.add_resource_dependency(server)
        self.client_ids = [client.ref for client in clients]

    def _user_pool(self) -> cognito.UserPool:
        return cognito.UserPool(
            self,
            "People",
            user_pool_name=self.name("people"),
            # Whom the retailer invites; nobody else.
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            # Decisions are under that address: another one counts once it is confirmed.
            keep_original=cognito.KeepOriginalAttrs(email=True),
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=cognito.PasswordPolicy(
                min_length=14,
                require_digits=True,
                require_lowercase=True,
                require_symbols=True,
                require_uppercase=True,
            ),
            deletion_protection=self.config.retain,
            removal_policy=self.removal_policy,
        )

    def _machine(self, name: str, scopes: Sequence[str]) -> cognito.CfnUserPoolClient:
        """A client that signs in with its id and secret, for an hour at a time."""
        return cognito.CfnUserPoolClient(
            self,
            f"Client-{name}",
            client_name=name,
            user_pool_id=self.pool_id,
            generate_secret=True,
            allowed_o_auth_flows_user_pool_client=True,
            allowed_o_auth_flows=["client_credentials"],
            allowed_o_auth_scopes=[f"{RESOURCE}/{scope}" for scope in scopes],
            access_token_validity=Duration.hours(1).to_minutes(),
            token_validity_units=cognito.CfnUserPoolClient.TokenValidityUnitsProperty(access_token="minutes"),
            prevent_user_existence_errors="ENABLED",
            enable_token_revocation=True,
        )
