-- clickstream.v1 -> sessions.v1: what each household did between two silences of 30 minutes.
-- Columns are the fields of mercato/contracts/events/clickstream.py and sessions.py.

CREATE TEMPORARY FUNCTION event_instant AS 'mercato.flink.EventInstant';

-- A time outside the contract's bounds (EARLIEST, MAX_AHEAD) becomes 1970: it must not move the
-- watermark, or one broken clock would close every other household's session.
CREATE TEMPORARY TABLE clickstream (
  event_id STRING,
  event_time STRING,
  simulated BOOLEAN,
  household_id BIGINT,
  session_id STRING,
  action STRING,
  product_id BIGINT,
  query STRING,
  basket_id BIGINT,
  arrived_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
  clicked_at AS CASE
    WHEN event_instant(event_time)
      BETWEEN TO_TIMESTAMP_LTZ(1262304000000, 3) AND arrived_at + INTERVAL '5' MINUTE
    THEN event_instant(event_time) ELSE TO_TIMESTAMP_LTZ(0, 3) END,
  WATERMARK FOR clicked_at AS clicked_at - INTERVAL '1' MINUTE
) WITH (
  'connector' = 'kafka',
  'topic' = '${topic.prefix:}clickstream.v1',
  'scan.startup.mode' = 'group-offsets',
  'scan.watermark.idle-timeout' = '1 min',
  'properties.group.id' = '${topic.prefix:}flink-sessions',
  'properties.auto.offset.reset' = 'earliest',
  'properties.bootstrap.servers' = '${kafka.bootstrap.servers}',
  'properties.security.protocol' = '${kafka.security.protocol:SASL_SSL}',
  'properties.sasl.mechanism' = 'AWS_MSK_IAM',
  'properties.sasl.jaas.config' = 'software.amazon.msk.auth.iam.IAMLoginModule required;',
  'properties.sasl.client.callback.handler.class' = 'software.amazon.msk.auth.iam.IAMClientCallbackHandler',
  'value.format' = 'json',
  'value.json.ignore-parse-errors' = 'true'
);

-- What cannot be read has NULLs here; the lake quarantines it with the reason.
CREATE TEMPORARY VIEW clicks AS
SELECT * FROM clickstream
WHERE clicked_at > TO_TIMESTAMP_LTZ(0, 3)
  AND event_id <> ''
  AND session_id <> ''
  AND household_id BETWEEN 1 AND 9007199254740991
  AND (
    action IN ('view', 'add_to_cart', 'remove_from_cart') AND product_id BETWEEN 1 AND 9007199254740991
    OR action = 'search' AND query <> ''
    OR action = 'checkout' AND basket_id BETWEEN 1 AND 9007199254740991
  );

-- One row per session and product; searches and checkouts are on the row without a product.
-- DISTINCT, because producers may send a click twice.
CREATE TEMPORARY VIEW touched AS
SELECT
  household_id, window_start, window_end, product_id,
  COUNT(DISTINCT event_id) FILTER (WHERE action = 'view') AS `views`,
  COUNT(DISTINCT event_id) FILTER (WHERE action = 'search') AS searches,
  COUNT(DISTINCT event_id) FILTER (WHERE action = 'add_to_cart') AS additions,
  COUNT(DISTINCT event_id) FILTER (WHERE action = 'remove_from_cart') AS removals,
  COUNT(DISTINCT event_id) FILTER (WHERE action = 'checkout') AS checkouts,
  COUNT(*) FILTER (WHERE simulated) AS simulated_clicks,
  MAX(clicked_at) FILTER (WHERE action = 'add_to_cart') AS added_at,
  MAX(clicked_at) FILTER (WHERE action = 'remove_from_cart') AS removed_at
FROM (
  SELECT
    household_id, window_start, window_end, event_id, action, simulated,
    CAST(clicked_at AS TIMESTAMP_LTZ(3)) AS clicked_at,
    CASE WHEN action IN ('search', 'checkout') THEN CAST(NULL AS BIGINT) ELSE product_id END AS product_id
  FROM SESSION(TABLE clicks PARTITION BY household_id, DESCRIPTOR(clicked_at), INTERVAL '30' MINUTE)
)
GROUP BY household_id, window_start, window_end, product_id;

-- Product 0 stands for none.
CREATE TEMPORARY VIEW session_windows AS
SELECT
  household_id, window_start, window_end,
  SUM(simulated_clicks) > 0 AS simulated,
  SUM(`views`) AS `views`,
  SUM(searches) AS searches,
  SUM(additions) AS additions,
  SUM(removals) AS removals,
  SUM(checkouts) AS checkouts,
  ARRAY_AGG(CASE WHEN `views` > 0 THEN product_id ELSE 0 END) AS viewed,
  ARRAY_AGG(
    CASE WHEN added_at > COALESCE(removed_at, TO_TIMESTAMP_LTZ(0, 3)) THEN product_id ELSE 0 END
  ) AS added
FROM touched
GROUP BY household_id, window_start, window_end;

-- A checkout takes the whole cart with it. Lists are cut at the contract's LISTED.
CREATE TEMPORARY VIEW carts AS
SELECT
  household_id, window_start, window_end, simulated, `views`, searches, additions, removals, checkouts,
  ARRAY_SLICE(ARRAY_SORT(ARRAY_REMOVE(viewed, 0)), 1, 1000) AS viewed,
  ARRAY_SLICE(
    ARRAY_SORT(CASE WHEN checkouts = 0 THEN ARRAY_REMOVE(added, 0) ELSE ARRAY_EXCEPT(added, added) END), 1, 1000
  ) AS cart
FROM session_windows;

CREATE TEMPORARY TABLE sessions (
  key_household_id STRING,
  event_id STRING,
  event_time TIMESTAMP_LTZ(3),
  simulated BOOLEAN,
  household_id BIGINT,
  started_at TIMESTAMP_LTZ(3),
  ended_at TIMESTAMP_LTZ(3),
  `views` BIGINT,
  searches BIGINT,
  additions BIGINT,
  removals BIGINT,
  checkouts BIGINT,
  viewed ARRAY<BIGINT>,
  cart ARRAY<BIGINT>,
  abandoned BOOLEAN
) WITH (
  'connector' = 'kafka',
  'topic' = '${topic.prefix:}sessions.v1',
  'key.format' = 'raw',
  'key.fields' = 'key_household_id',
  'key.fields-prefix' = 'key_',
  'value.format' = 'json',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = '${topic.prefix:}flink-sessions',
  'properties.transaction.timeout.ms' = '600000',
  'properties.bootstrap.servers' = '${kafka.bootstrap.servers}',
  'properties.security.protocol' = '${kafka.security.protocol:SASL_SSL}',
  'properties.sasl.mechanism' = 'AWS_MSK_IAM',
  'properties.sasl.jaas.config' = 'software.amazon.msk.auth.iam.IAMLoginModule required;',
  'properties.sasl.client.callback.handler.class' = 'software.amazon.msk.auth.iam.IAMClientCallbackHandler'
);

INSERT INTO sessions
SELECT
  CAST(household_id AS STRING),
  CAST(household_id AS STRING) || '-' || DATE_FORMAT(window_start, 'yyyyMMddHHmmssSSS'),
  CAST(window_end AS TIMESTAMP_LTZ(3)),
  simulated,
  household_id,
  CAST(window_start AS TIMESTAMP_LTZ(3)),
  CAST(window_end - INTERVAL '30' MINUTE AS TIMESTAMP_LTZ(3)),
  `views`, searches, additions, removals, checkouts,
  viewed,
  cart,
  CARDINALITY(cart) > 0
FROM carts;
