"""What is known of households is checked before models are judged by it, wherever it comes from."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mercato.errors import MercatoError
from mercato.lake.tables import Lake
from mercato_models import datasets, demographics, manifest
from mercato_models.checks import CheckError

JOB = Path(__file__).parents[3] / "sagemaker" / "glue" / "dataset.py"
HOUSEHOLD, AGE, INCOME, SIZE = demographics.HOUSEHOLD, *demographics.BANDS
PEOPLE = pd.DataFrame(
    {
        HOUSEHOLD: [1, 3, 4],
        AGE: ["25-34", "65+", None],
        INCOME: ["250K+", None, "Under 15K"],
        SIZE: ["2", "5+", "1"],
    }
)


def wrong(column: str, value: object) -> pd.DataFrame:
    return PEOPLE.assign(**{column: [*PEOPLE[column][:2], value]})


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (wrong(AGE, "25 to 34"), r"age is none of 19-24, .*: 1 of 3 rows \(2\)"),
        (wrong(SIZE, 2), None),
        (wrong(SIZE, 7), r"household_size is none of 1, 2, 3, 4, 5\+: 1 of 3 rows \(2\)"),
        (wrong(HOUSEHOLD, 1), r"a second row of the same household_id: 1 of 3 rows \(2\)"),
        (wrong(HOUSEHOLD, None), r"unknown household_id: 1 of 3 rows \(2\)"),
    ],
)
def test_values_outside_of_the_bands_are_refused(
    people: pd.DataFrame, said: str | None, tmp_path: Path
) -> None:
    if said is None:
        demographics.write(tmp_path, people)
        return
    with pytest.raises(CheckError, match=said):
        demographics.write(tmp_path, people)
    assert not list(tmp_path.iterdir())


def csv(path: Path) -> None:
    PEOPLE.to_csv(path, index=False)


def parquet(path: Path) -> None:
    PEOPLE.to_parquet(path, index=False)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, pd.DataFrame]]:
    """What the job publishes, by file, of a lake without anything else."""
    found: list[dict[str, pd.DataFrame]] = []

    def write(_model: str, _lake: Lake, channel: Path) -> None:
        channel.mkdir(parents=True)

    def publish(channel: Path, _uri: str, _version: str) -> list[str]:
        found.append({path.name: pd.read_parquet(path) for path in channel.iterdir()})
        return []

    monkeypatch.setattr(datasets, "write", write)
    monkeypatch.setattr(manifest, "publish", publish)
    return found


def run(model: str, *given: str) -> None:
    main: Callable[[list[str]], None] = runpy.run_path(str(JOB))["main"]
    main(["--model", model, "--lake-uri", "lake", "--to", "s3://shop-models/datasets", *given])


@pytest.mark.parametrize(("name", "write"), [("people.csv", csv), ("people.parquet", parquet)])
@pytest.mark.parametrize("model", ["churn", "fraud"])
def test_the_dataset_job_takes_demographics_along(
    model: str,
    name: str,
    write: Callable[[Path], None],
    published: list[dict[str, pd.DataFrame]],
    tmp_path: Path,
) -> None:
    write(tmp_path / name)
    run(model, "--demographics", str(tmp_path / name))
    (files,) = published
    taken = files[demographics.FILE].astype(dict.fromkeys(demographics.BANDS, object))
    pd.testing.assert_frame_equal(taken.where(taken.notna(), None), PEOPLE)


@pytest.mark.parametrize("given", [[], ["--demographics", ""]])
def test_without_demographics_the_dataset_has_none(
    given: list[str], published: list[dict[str, pd.DataFrame]]
) -> None:
    run("churn", *given)
    assert published == [{}]


def test_prices_are_judged_by_no_group(published: list[dict[str, pd.DataFrame]]) -> None:
    run("price", "--demographics", "is-never-read.csv")
    assert published == [{}]


def test_a_broken_file_ends_the_job_before_anything_is_written(
    published: list[dict[str, pd.DataFrame]], tmp_path: Path
) -> None:
    with pytest.raises(MercatoError, match=r"none\.csv is missing"):
        run("churn", "--demographics", str(tmp_path / "none.csv"))
    wrong(AGE, "old").to_csv(tmp_path / "wrong.csv", index=False)
    with pytest.raises(CheckError, match="age is none of"):
        run("churn", "--demographics", str(tmp_path / "wrong.csv"))
    assert published == []


@pytest.mark.parametrize(
    ("name", "held"),
    [("people.csv", b""), ("people.csv", b"household_id\n\xff"), ("people.parquet", b"PAR1")],
)
def test_a_file_of_another_kind_is_named(name: str, held: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(held)
    with pytest.raises(MercatoError, match=rf"{name} cannot be read as (CSV|Parquet): "):
        datasets.people(str(tmp_path / name))
