"""What a deploy must know of topics, tables and jobs: `python -m infra.catalog FILE`.

The environment that synthesizes templates has neither Spark nor the contracts' libraries, so
what it needs is written down in one JSON file; a test fails when it is out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from glue_jobs.catalog import CATALOG
from glue_jobs.quality import ruleset
from mercato.contracts.arrow import spark_type
from mercato.contracts.events import TOPICS, Topic
from mercato.contracts.tables import gold, silver
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.maintenance import ALL_TABLES, BATCH_TABLES
from mercato.online.views import BATCH
from mercato_models.drift.asked import OF_LAKE
from mercato_models.sources import LEARNED_FROM

#: Scripts of the artifact `jobs-entry`.
_JOBS, _FEATURES = "glue_jobs/main.py", "features/main.py"
_DATASET = "sagemaker/glue/dataset.py"
#: Jobs that score with approved models, and their scripts: what they read.
_SCORES: Mapping[tuple[str, str], Iterable[Table]] = {
    ("churn.outlook", "sagemaker/glue/outlook.py"): LEARNED_FROM["churn"],
    ("price.proposals", "sagemaker/glue/proposals.py"): (
        *LEARNED_FROM["price"],
        *(gold.BASKET_LINES, silver.INVENTORY, silver.PRICE_DECISIONS),
    ),
    ("models.drift", "sagemaker/glue/drift.py"): [table for name in OF_LAKE for table in LEARNED_FROM[name]],
}
#: Files that younger versions need are kept for this long.
_RETAIN_HOURS = 168
#: Glue's smallest worker; for streaming jobs only.
_STREAMING = {
    "kind": "streaming",
    "entry": _JOBS,
    "worker_type": "G.025X",
    "workers": 2,
    "timeout_minutes": None,
}
_BATCH = {"kind": "batch", "entry": _JOBS, "worker_type": "G.1X", "workers": 2, "timeout_minutes": 120}


def render() -> str:
    """The whole file."""
    document = {
        "topics": [_topic(topic) for topic in TOPICS.values()],
        "tables": [_table(table) for table in ALL_TABLES],
        "jobs": [*_jobs()],
    }
    return json.dumps(document, indent=1) + "\n"


def _topic(topic: Topic) -> dict[str, Any]:
    return {
        "name": topic.name,
        "quarantine": topic.quarantine,
        "description": topic.description,
        "key": topic.key,
        "partitions": topic.partitions,
        "compact": topic.compact,
        "derived": topic.derived,
        "schema": topic.json_schema,
    }


def _table(table: Table) -> dict[str, Any]:
    described = table.json_schema["$defs"][table.row.__name__]["properties"]
    columns = [
        {
            "name": field.name,
            "type": _glue_type(field.type),
            "comment": described[field.name].get("description", ""),
        }
        for field in table.arrow_schema
    ]
    return {
        "database": table.layer,
        "name": table.short_name,
        "description": table.description,
        "key": list(table.key),
        "columns": columns,
        "rules": ruleset(table),
    }


def _glue_type(dtype: pa.DataType) -> str:
    """Glue's spelling: lower case, without spaces."""
    return spark_type(dtype).lower().replace(" ", "")


def _jobs() -> Iterator[dict[str, Any]]:
    # One job for all topics, because a streaming job is paid for by the hour (docs/adr/0021).
    arguments = {"--stream": ",".join(TOPICS), "--follow": "true"}
    yield _job(
        "bronze.events",
        "bronze",
        arguments,
        [*TOPICS],
        [table.name for table in BRONZE.values()],
        **_STREAMING,
    )
    for job in CATALOG.values():
        target, reads = job.target, [source.name for source in job.sources]
        # Every silver job adds what it refuses to one table.
        writes = [target.name, silver.QUARANTINE.name] if target.layer == "silver" else [target.name]
        yield _job(target.name, target.layer, {"--job": target.name}, reads, writes, **_BATCH)
    served = [view.table.name for view in BATCH]
    yield _job("features.materialize", "features", {}, served, [], **(_BATCH | {"entry": _FEATURES}))
    for (name, entry), tables in _SCORES.items():
        reads = [table.name for table in tables]
        yield _job(name, "scores", {}, reads, [], **(_BATCH | {"entry": entry}))
    for model, learned_from in LEARNED_FROM.items():
        reads = [table.name for table in learned_from]
        named = {"--model": model}
        yield _job(f"datasets.{model}", "datasets", named, reads, [], **(_BATCH | {"entry": _DATASET}))
    every = [table.name for table in BATCH_TABLES]
    yield _job("lake.maintain", "maintenance", {"--maintain": str(_RETAIN_HOURS)}, every, every, **_BATCH)


def _job(
    name: str, layer: str, arguments: dict[str, str], reads: list[str], writes: list[str], **sizes: Any
) -> dict[str, Any]:
    return {
        "name": name.replace(".", "-").replace("_", "-"),
        "layer": layer,
        "arguments": {**arguments, "--engine": "active"},
        "reads": reads,
        "writes": writes,
        **sizes,
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render())
