"""Everything a deploy ships, each built from this repo: `python -m infra.artifacts`."""
