"""The tutorial's commands work, one after another, as they are printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorials" / "follow-one-event.md"


@pytest.mark.usefixtures("demo")
def test_the_tutorial_runs_as_written(demo_home: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    script = tmp_path / "tutorial.sh"
    script.write_text("set -euo pipefail\n" + "\n".join(blocks))
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,
        "MERCATO_HOME": str(demo_home),
        "PATH": f"{binaries}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", str(script)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "not offered again" in done.stdout
    assert '"status": 422' in done.stdout
    assert "wrong_type" in done.stdout
    assert "1 records sent" in done.stderr
