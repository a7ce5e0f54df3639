"""The zips that the CDK CLI uploads, packed in a fraction of its time.

The CLI packs each folder by itself, at the strongest compression, and keeps the zip in `.cache` beside the
templates under the hash of what is in it. What lies there already it uploads as it is.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# What every zip of the CLI has, so that its content alone tells two apart.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(assembly: Path) -> None:
    """Pack what is not packed yet, and remove what no template names any more."""
    sources = [
        each["source"]
        for manifest in assembly.glob("*.assets.json")
        for each in json.loads(manifest.read_text())["files"].values()
    ]
    named = {each["path"] for each in sources}
    cache = assembly / ".cache"
    cache.mkdir(exist_ok=True)
    zips = {
        cache / f"{path.removeprefix('asset.')}.zip": assembly / path
        for path in {each["path"] for each in sources if each["packaging"] == "zip"}
    }
    for stale in cache.iterdir():
        if stale not in zips:
            stale.unlink()
    for stale in assembly.glob("asset.*"):
        if stale.name not in named:
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_zip, zips.keys(), zips.values()))


def _zip(target: Path, folder: Path) -> None:
    if target.exists():
        return
    fresh = target.with_suffix(".new")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), _EPOCH)
            entry.external_attr = path.stat().st_mode << 16
            archive.writestr(entry, path.read_bytes())
    fresh.rename(target)
