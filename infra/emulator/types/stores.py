"""Online stores: ElastiCache, OpenSearch, Neptune."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, native, recorded

TYPES: tuple[CloudType, ...] = (
    native(
        "AWS::ElastiCache::ReplicationGroup",
        Call("elasticache", "describe_replication_groups", {"ReplicationGroupId": "{id}"}),
        "Its address leads nowhere; `mercato up redis` runs a real one.",
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
    recorded("AWS::Neptune::DBClusterParameterGroup", "{Name || join('-', [stack, logical])}"),
)
