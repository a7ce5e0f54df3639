"""Build artifacts and print their folders: `python -m infra.artifacts [NAME ...]`."""

from __future__ import annotations

import argparse

from infra.artifacts.catalog import ARTIFACTS, artifact


def main() -> None:
    """Build the named artifacts, all of them if none is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ARTIFACTS))
    for name in parser.parse_args().names or ARTIFACTS:
        print(artifact(name).build())


if __name__ == "__main__":
    main()
