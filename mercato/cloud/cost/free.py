"""Types of resources that AWS does not bill by themselves; each one is here because somebody looked."""

from __future__ import annotations

#: Names, rights and links: no service bills for them.
_DECLARATIONS = (
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ElastiCache::ParameterGroup",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::ElastiCache::User",
    "AWS::ElastiCache::UserGroup",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::OIDCProvider",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogStream",
    "AWS::Logs::ResourcePolicy",
    "AWS::MSK::Configuration",
    "AWS::Neptune::DBClusterParameterGroup",
    "AWS::Neptune::DBSubnetGroup",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::WAFv2::LoggingConfiguration",
    "Custom::AWS",
    "Custom::CDKBucketDeployment",
    "Custom::SessionsStarted",
    "Custom::S3AutoDeleteObjects",
)
#: Their price is in another resource's line: the workspace, the cluster.
_ELSEWHERE = ("AWS::APS::RuleGroupsNamespace", "AWS::MSK::Topic")
#: The service has no price for them: budgets that only watch, events of AWS's own services, the schema
#: registry, the first million objects of the Glue catalogue, MLflow apps.
_NO_PRICE = (
    "AWS::Budgets::Budget",
    "AWS::Events::Rule",
    "AWS::Glue::Connection",
    "AWS::Glue::DataQualityRuleset",
    "AWS::Glue::Database",
    "AWS::Glue::Registry",
    "AWS::Glue::Schema",
    "AWS::Glue::SchemaVersion",
    "AWS::Glue::SecurityConfiguration",
    "AWS::Glue::Table",
    "AWS::SageMaker::MlflowApp",
)

#: What CDK adds at times: the CLI when it synthesizes by itself, CDK where the edge is in another region.
BY_CDK = ("AWS::CDK::Metadata", "Custom::CrossRegionExportReader", "Custom::CrossRegionExportWriter")

FREE = frozenset((*_DECLARATIONS, *_ELSEWHERE, *_NO_PRICE, *BY_CDK))
