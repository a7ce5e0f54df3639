"""IAM, KMS, Secrets Manager, Cognito and WAF."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, Make, made, native, recorded

_UNENFORCED = "Policies are kept, not enforced."

TYPES: tuple[CloudType, ...] = (
    native("AWS::IAM::Role", Call("iam", "get_role", {"RoleName": "{id}"}), _UNENFORCED),
    native(
        "AWS::IAM::Policy",
        Call("iam", "list_role_policies", {"RoleName": "{Roles[0]}"}, "PolicyNames"),
        _UNENFORCED,
    ),
    native("AWS::IAM::ManagedPolicy", Call("iam", "get_policy", {"PolicyArn": "{id}"}), _UNENFORCED),
    made(
        "AWS::IAM::OIDCProvider",
        Make(
            "{answer.OpenIDConnectProviderArn}",
            {"Arn": "{id}"},
            Call("iam", "create_open_id_connect_provider"),
            Call("iam", "delete_open_id_connect_provider", {"OpenIDConnectProviderArn": "{id}"}),
            lambda given: {**given, "ClientIDList": given.get("ClientIdList", [])},
        ),
        Call("iam", "get_open_id_connect_provider", {"OpenIDConnectProviderArn": "{id}"}),
    ),
    native("AWS::KMS::Key", Call("kms", "describe_key", {"KeyId": "{id}"}, "KeyMetadata.Enabled")),
    native("AWS::KMS::Alias", Call("kms", "describe_key", {"KeyId": "{id}"})),
    native(
        "AWS::SecretsManager::Secret",
        Call("secretsmanager", "describe_secret", {"SecretId": "{id}"}),
        "A generated value is really generated.",
    ),
    native(
        "AWS::Cognito::UserPool",
        Call("cognito-idp", "describe_user_pool", {"UserPoolId": "{id}"}),
        "Gives and checks real tokens (RS256, JWKS).",
    ),
    native(
        "AWS::Cognito::UserPoolClient",
        Call("cognito-idp", "describe_user_pool_client", {"UserPoolId": "{UserPoolId}", "ClientId": "{id}"}),
    ),
    native(
        "AWS::Cognito::UserPoolDomain",
        Call("cognito-idp", "describe_user_pool_domain", {"Domain": "{id}"}, "DomainDescription.UserPoolId"),
    ),
    native(
        "AWS::Cognito::UserPoolResourceServer",
        Call(
            "cognito-idp",
            "describe_resource_server",
            {"UserPoolId": "{UserPoolId}", "Identifier": "{Identifier}"},
        ),
    ),
    native(
        "AWS::WAFv2::WebACL",
        Call("wafv2", "list_web_acls", {"Scope": "{Scope}"}, "WebACLs"),
        "No request is inspected.",
        faked=True,
    ),
    recorded(
        "AWS::WAFv2::LoggingConfiguration",
        "{ResourceArn}",
        "No request is inspected.",
        ManagedByFirewallManager="false",
    ),
)
