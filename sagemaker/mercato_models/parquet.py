"""Parquet files that training reads and leaves, where one is cut short or of another kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from mercato_models.checks import CheckError


@contextmanager
def readable(path: Path, model: str) -> Iterator[None]:
    """Whatever reading a broken file raises, as an error that names it and what makes it again.

    Args:
        model: that is trained on it, or left it.

    Raises:
        CheckError: the file is broken.
    """
    try:
        yield
    except (MemoryError, pa.ArrowCancelled):  # which Arrow's errors include
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno:  # of the machine, not of what is in the file
            raise
        fault = str(error).strip().partition("\n")[0]
        again = f"`mercato train {model}` makes it again"
        raise CheckError(f"{path} cannot be read as Parquet ({fault}): {again}") from error
