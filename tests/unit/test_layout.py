"""The tree keeps the names that the SageMaker SDK needs free (docs/adr/0004)."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SDK_CHILDREN = ("core", "train", "serve", "mlops", "lineage", "ai_registry")


def test_sagemaker_is_not_a_package() -> None:
    assert not (ROOT / "sagemaker" / "__init__.py").exists()
    assert not (ROOT / "tests" / "sagemaker").exists()


@pytest.mark.parametrize("name", SDK_CHILDREN)
def test_no_child_hides_the_sdk(name: str) -> None:
    assert not (ROOT / "sagemaker" / name).exists()
    assert not (ROOT / "sagemaker" / f"{name}.py").exists()


def test_committed_code_imports_mercato_models_by_that_name() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for folder in ("mercato", "glue_jobs", "features", "lambdas", "sagemaker", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if "from sagemaker.mercato_" + "models" in path.read_text()
    ]
    assert offenders == []


def test_the_top_level_is_source() -> None:
    """A stray ``pip download`` once left seventeen wheels in the root, and in a commit."""
    strays = [path.name for path in ROOT.iterdir() if path.suffix in {".whl", ".jar", ".zip", ".parquet"}]
    assert strays == []
