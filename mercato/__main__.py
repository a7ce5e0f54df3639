"""The `mercato` command, also `python -m mercato`."""

import sys


def main() -> None:
    """Run it; who presses Ctrl-C while it is still loading sees no trace."""
    try:
        from mercato.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
