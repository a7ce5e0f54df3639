"""The catalogue, read by a process of its own.

Decoding a hundred thousand rows holds Python's interpreter lock for seconds; a server that did it
itself would hold up its requests for as long.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pyarrow as pa

from mercato.online.connection import OnlineUnavailable
from mercato.online.reader import OnlineFeatures
from mercato.settings import Settings

_COURTESY = 10


def catalogue(settings: Settings) -> dict[str, pa.Table]:
    """What `OnlineFeatures.catalogue` answers.

    Raises:
        OnlineUnavailable: Redis does not answer, or the process ended otherwise before it was done.
    """
    # The address may hold a password, and everyone sees the arguments of a process.
    told = settings.model_copy(update={"redis_url": settings.require("redis_url")})
    reader = subprocess.run(
        [sys.executable, "-m", __name__],
        input=told.model_dump_json().encode(),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    if reader.returncode:
        last = reader.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise OnlineUnavailable(f"the catalogue could not be read: {last or reader.returncode}")
    tables: dict[str, pa.Table] = pickle.loads(reader.stdout)  # written by our own process
    return tables


def _main() -> None:
    os.nice(_COURTESY)
    online = OnlineFeatures(Settings.model_validate_json(sys.stdin.read()))
    pickle.dump(online.catalogue(), sys.stdout.buffer, protocol=5)


if __name__ == "__main__":
    _main()
