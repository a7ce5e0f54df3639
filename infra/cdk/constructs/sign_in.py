"""By what people sign in to the admin panel: its client of the user pool, and the key of its sessions."""

from __future__ import annotations

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk.constructs.function import Function
from infra.cdk.constructs.gateway import HttpApi
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.identity import IdentityStack


class SignIn(Construct):
    """The way of people into the panel.

    Attributes:
        environment: variables by which the panel knows it.
    """

    def __init__(self, stack: PlaneStack, *, identity: IdentityStack, http: HttpApi) -> None:
        """Create the client of an environment.

        Args:
            http: the API behind which the panel is.
        """
        super().__init__(stack, "SignIn")
        config = stack.config
        emulator = config.engines.aws_url
        panel = f"https://{config.decisions.domain or http.host}/admin"
        issuer = identity.issuer
        if emulator:
            panel = f"http://{http.emulated_host(emulator)}/admin"
            issuer = f"{emulator}/{identity.pool_id}"
        client = cognito.CfnUserPoolClient(
            self,
            "Panel",
            client_name="panel",
            user_pool_id=identity.pool_id,
            # By the pool's own page only: tokens that people get elsewhere may change what is known of them.
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
            allowed_o_auth_flows_user_pool_client=True,
            allowed_o_auth_flows=["code"],
            allowed_o_auth_scopes=["openid", "email"],
            callback_ur_ls=[f"{panel}/signed-in"],
            logout_ur_ls=[panel],
            supported_identity_providers=["COGNITO"],
            prevent_user_existence_errors="ENABLED",
            enable_token_revocation=True,
        )
        self._secret = secretsmanager.Secret(
            self,
            "Key",
            secret_name=stack.name("panel-sessions"),
            description="Signs the cookies of people who signed in to the admin panel",
            encryption_key=stack.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                exclude_punctuation=True, password_length=64
            ),
            removal_policy=stack.removal_policy,
        )
        self.environment = {
            "MERCATO_ADMIN_URL": panel,
            "MERCATO_SIGN_IN_DISCOVERY_URL": f"{issuer}/.well-known/openid-configuration",
            "MERCATO_SIGN_IN_CLIENT_ID": client.ref,
            "MERCATO_SESSION_SECRET_ARN": self._secret.secret_arn,
        }

    def grant(self, function: Function) -> None:
        """Let a function sign sessions."""
        function.allow(["secretsmanager:GetSecretValue"], [self._secret.secret_arn])
