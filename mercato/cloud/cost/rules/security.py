"""Keys, secrets, users and machines that sign in, the firewall."""

from __future__ import annotations

from collections.abc import Iterator

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.template import Resource

_MACHINES = "client_credentials"
_CLIENT = "AWS::Cognito::UserPoolClient"
#: A function keeps a secret; a new instance of it reads the secret anew.
_READS = 1_000


def _key(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="key", price="kms.key", fixed=1, basis="one version; each of two rotations adds one")
    yield Charge(
        what="key requests",
        price="kms.requests",
        varying=context.usage.key_requests / 1e4,
        basis="key_requests",
    )


def _secret(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="secret", price="secrets.secret", fixed=1, basis="always held")
    yield Charge(what="secret reads", price="secrets.reads", varying=_READS / 1e4, basis=f"{_READS:,} reads")


def _user_pool(resource: Resource, context: Context) -> Iterator[Charge]:
    plan = resource.get("UserPoolTier", default="ESSENTIALS")
    yield Charge(
        what="people who sign in",
        price="cognito.user",
        size=plan,
        varying=context.usage.users * context.share(resource),
        basis=f"users on {plan}",
    )


def _is_machine(resource: Resource) -> bool:
    return resource.type == _CLIENT and _MACHINES in resource.get("AllowedOAuthFlows", default=())


def _client(resource: Resource, context: Context) -> Iterator[Charge]:
    if not _is_machine(resource):
        return
    machines = sum(map(_is_machine, context.assembly.resources))
    tokens = context.usage.decisions / context.usage.requests_per_token / machines
    yield Charge(
        what="machine client", price="cognito.machine-client", fixed=1, basis="client with its own secret"
    )
    yield Charge(
        what="machine tokens",
        price="cognito.machine-token",
        varying=tokens / 1e3,
        basis="decisions / requests_per_token, shared equally by machine clients",
    )


def _firewall(resource: Resource, context: Context) -> Iterator[Charge]:
    rules = len(resource.get("Rules", default=()))
    yield Charge(what="web ACL", price="waf.acl", fixed=1, basis="always on")
    yield Charge(
        what="web ACL rules", price="waf.rule", fixed=rules, basis=f"{rules} rules and managed groups"
    )
    yield Charge(
        what="web ACL requests",
        price="waf.requests",
        varying=context.usage.api_requests / 1e6 * context.share(resource),
        basis="decisions, and events_per_second in batches of event_batch",
    )


RULES = {
    "AWS::KMS::Key": _key,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::Cognito::UserPool": _user_pool,
    _CLIENT: _client,
    "AWS::WAFv2::WebACL": _firewall,
}
