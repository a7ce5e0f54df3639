"""The way in: API Gateway, and queues and topics behind it."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, native

_API = {"ApiId": "{ApiId}"}

TYPES: tuple[CloudType, ...] = (
    native(
        "AWS::ApiGatewayV2::Api",
        Call("apigatewayv2", "get_api", {"ApiId": "{id}"}),
        "Answers over HTTP at ENDPOINT/_aws/execute-api/API/STAGE, and by its host name.",
    ),
    native(
        "AWS::ApiGatewayV2::Authorizer",
        Call("apigatewayv2", "get_authorizer", {**_API, "AuthorizerId": "{id}"}),
        "Tokens are really checked.",
    ),
    native(
        "AWS::ApiGatewayV2::Integration",
        Call("apigatewayv2", "get_integration", {**_API, "IntegrationId": "{id}"}),
    ),
    native("AWS::ApiGatewayV2::Route", Call("apigatewayv2", "get_route", {**_API, "RouteId": "{name}"})),
    native(
        "AWS::ApiGatewayV2::Stage",
        Call("apigatewayv2", "get_stage", {**_API, "StageName": "{StageName}"}),
        "Throttles are kept, not enforced.",
    ),
    native("AWS::CloudFront::Distribution", Call("cloudfront", "get_distribution", {"Id": "{id}"})),
    native("AWS::SQS::Queue", Call("sqs", "get_queue_attributes", {"QueueUrl": "{id}"})),
    native("AWS::SQS::QueuePolicy", Call("sqs", "list_queues"), "Policies are kept, not enforced."),
    native("AWS::SNS::Topic", Call("sns", "get_topic_attributes", {"TopicArn": "{id}"}), "Really delivers."),
    native(
        "AWS::SNS::Subscription",
        Call("sns", "list_subscriptions", {}, "Subscriptions"),
        "To functions and queues; no mail is sent.",
    ),
    native(
        "AWS::SNS::TopicPolicy",
        Call("sns", "list_topics", {}, "Topics"),
        "Policies are kept, not enforced.",
    ),
)
