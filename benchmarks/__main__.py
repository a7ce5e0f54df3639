"""The benchmarks of what the demo built, one after another: `python -m benchmarks [NAME ...]` (`make bench`).

Each writes `{MERCATO_HOME}/bench/NAME.json`. The demo comes first, because the others measure what it built.
"""

from __future__ import annotations

import subprocess
import sys

_DEMO = ("mercato", "demo", "--detach")
_DOWN = ("mercato", "down")
BENCHMARKS = ("features", "api", "recommend", "lake", "replay", "gold", "search")


def main(names: list[str]) -> int:
    """Run the named benchmarks, all by default, whether or not the one before succeeded."""
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    commands = [_DEMO, *((f"benchmarks.{name}",) for name in names or BENCHMARKS)]
    failed = []
    try:
        for module, *arguments in commands:
            print(f"\n==> python -m {' '.join((module, *arguments))}", file=sys.stderr)
            if subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode:
                failed.append(module)
    finally:
        subprocess.run([sys.executable, "-m", *_DOWN], check=False)
    print(f"failed: {', '.join(failed)}" if failed else "every benchmark ran", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
