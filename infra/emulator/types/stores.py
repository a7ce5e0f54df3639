"""Online stores: ElastiCache, OpenSearch, Neptune, and the feature registry's database."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, Make, made, native, recorded

_NO_STORE = "Its address leads nowhere; `mercato up redis` runs a real one."

TYPES: tuple[CloudType, ...] = (
    native(
        "AWS::ElastiCache::ReplicationGroup",
        Call("elasticache", "describe_replication_groups", {"ReplicationGroupId": "{id}"}),
        _NO_STORE,
        faked=True,
    ),
    native(
        "AWS::ElastiCache::SubnetGroup",
        Call("elasticache", "describe_cache_subnet_groups", {"CacheSubnetGroupName": "{id}"}),
    ),
    native(
        "AWS::ElastiCache::ParameterGroup",
        Call("elasticache", "describe_cache_parameter_groups", {"CacheParameterGroupName": "{id}"}),
    ),
    native("AWS::ElastiCache::User", Call("elasticache", "describe_users", {"UserId": "{id}"})),
    native(
        "AWS::ElastiCache::UserGroup",
        Call("elasticache", "describe_user_groups", {"UserGroupId": "{id}"}),
    ),
    made(
        "AWS::ElastiCache::ServerlessCache",
        Make(
            "{ServerlessCacheName}",
            {
                "ARN": "{answer.ServerlessCache.ARN}",
                "Endpoint.Address": "{ServerlessCacheName}-{hash}.serverless.use1.cache.amazonaws.com",
                "Endpoint.Port": "6379",
                "ReaderEndpoint.Address": "{ServerlessCacheName}-{hash}.serverless.use1.cache.amazonaws.com",
                "ReaderEndpoint.Port": "6380",
            },
            Call("elasticache", "create_serverless_cache"),
            Call("elasticache", "delete_serverless_cache", {"ServerlessCacheName": "{id}"}),
        ),
        Call("elasticache", "describe_serverless_caches", {"ServerlessCacheName": "{id}"}),
        _NO_STORE,
        faked=True,
    ),
    native(
        "AWS::OpenSearchService::Domain",
        Call("opensearch", "describe_domain", {"DomainName": "{id}"}),
        "No engine behind its address.",
        faked=True,
    ),
    recorded(
        "AWS::Neptune::DBCluster",
        "{DBClusterIdentifier || join('-', [stack, logical])}",
        "No graph engine behind its address.",
        ClusterResourceId="cluster-{hash}",
        Endpoint="{id}.cluster-{hash}.{region}.neptune.amazonaws.com",
        ReadEndpoint="{id}.cluster-ro-{hash}.{region}.neptune.amazonaws.com",
        Port="8182",
    ),
    recorded(
        "AWS::Neptune::DBInstance",
        "{DBInstanceIdentifier || join('-', [stack, logical])}",
        "No graph engine behind its address.",
        Endpoint="{id}.{hash}.{region}.neptune.amazonaws.com",
        Port="8182",
    ),
    recorded("AWS::Neptune::DBSubnetGroup", "{DBSubnetGroupName || join('-', [stack, logical])}"),
    recorded("AWS::Neptune::DBParameterGroup", "{Name || join('-', [stack, logical])}"),
    recorded("AWS::Neptune::DBClusterParameterGroup", "{Name || join('-', [stack, logical])}"),
    native(
        "AWS::RDS::DBSubnetGroup", Call("rds", "describe_db_subnet_groups", {"DBSubnetGroupName": "{id}"})
    ),
    native("AWS::RDS::DBCluster", Call("rds", "describe_db_clusters", {"DBClusterIdentifier": "{id}"})),
    native("AWS::RDS::DBInstance", Call("rds", "describe_db_instances", {"DBInstanceIdentifier": "{id}"})),
)
