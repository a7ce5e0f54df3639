"""CloudFront and a web application firewall before the API; an HTTP API takes no firewall of its own."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.stacks.base import PlaneStack, log_group_arn
from infra.cdk.stacks.decisions import DecisionsStack

#: Where AWS keeps what belongs to CloudFront.
REGION = "us-east-1"
_MANAGED = ("AmazonIpReputationList", "KnownBadInputsRuleSet", "CommonRuleSet")
#: Rules that would refuse what the API's own contracts allow and bound: bodies above 8 KiB (a batch of
#: events), query strings above 2 KiB (200 products to leave out), machines that do not name themselves.
_COUNTED = ("SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING", "NoUserAgent_HEADER")


class EdgeStack(PlaneStack):
    """What the world sees of the API."""

    def __init__(self, scope: Construct, *, config: Config, decisions: DecisionsStack) -> None:
        """Create the edge of an environment."""
        super().__init__(scope, "edge", config=config, holds="CloudFront and WAF", region=REGION)
        acl = self._acl()
        origin = origins.HttpOrigin(
            decisions.http.host,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
        )
        settings = config.decisions
        cloudfront.Distribution(
            self,
            "Distribution",
            comment=self.name("api"),
            web_acl_id=acl.attr_arn,
            domain_names=[settings.domain] if settings.domain else None,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", settings.certificate_arn)
            if settings.domain
            else None,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origin,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            ),
        )

    def _acl(self) -> waf.CfnWebACL:
        acl = waf.CfnWebACL(
            self,
            "Firewall",
            name=self.name("api"),
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=self._visible("api"),
            rules=[*self._throttles(), *self._managed()],
        )
        # WAF wants this prefix.
        logs = self.log_group("FirewallLogs", f"aws-waf-logs-{self.name('api')}")
        waf.CfnLoggingConfiguration(
            self,
            "FirewallLogging",
            resource_arn=acl.attr_arn,
            log_destination_configs=[log_group_arn(logs)],
            redacted_fields=[
                waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": name})
                for name in ("authorization", "cookie")
            ],
        )
        return acl

    def _throttles(self) -> Sequence[waf.CfnWebACL.RuleProperty]:
        """One limit for each token, so for each client, and a wider one for each address.

        A token that somebody made up has a limit of its own, too: the address is what all of them have.
        """
        limits = self.config.decisions
        token = waf.CfnWebACL.RateBasedStatementCustomKeyProperty(
            header=waf.CfnWebACL.RateLimitHeaderProperty(
                name="authorization", text_transformations=[_as_it_is()]
            )
        )
        statements = {
            "client": waf.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="CUSTOM_KEYS",
                custom_keys=[token],
                limit=limits.client_requests_per_5_minutes,
            ),
            "address": waf.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=limits.of_an_address
            ),
        }
        return [
            waf.CfnWebACL.RuleProperty(
                name=name,
                priority=place,
                # Typed: CDK drops keys of a plain mapping that are not spelled as its own.
                action=waf.CfnWebACL.RuleActionProperty(
                    block=waf.CfnWebACL.BlockActionProperty(
                        custom_response=waf.CfnWebACL.CustomResponseProperty(
                            response_code=HTTPStatus.TOO_MANY_REQUESTS.value
                        )
                    )
                ),
                statement=waf.CfnWebACL.StatementProperty(rate_based_statement=statement),
                visibility_config=self._visible(name),
            )
            for place, (name, statement) in enumerate(statements.items())
        ]

    def _managed(self) -> Sequence[waf.CfnWebACL.RuleProperty]:
        counted = [
            waf.CfnWebACL.RuleActionOverrideProperty(
                name=name, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
            )
            for name in _COUNTED
        ]
        return [
            waf.CfnWebACL.RuleProperty(
                name=name,
                priority=10 + place,
                override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
                statement=waf.CfnWebACL.StatementProperty(
                    managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                        vendor_name="AWS",
                        name=f"AWSManagedRules{name}",
                        rule_action_overrides=counted if name == "CommonRuleSet" else None,
                    )
                ),
                visibility_config=self._visible(name),
            )
            for place, name in enumerate(_MANAGED)
        ]

    def _visible(self, name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
        return waf.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True, metric_name=self.name(name), sampled_requests_enabled=True
        )


def _as_it_is() -> waf.CfnWebACL.TextTransformationProperty:
    return waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")
