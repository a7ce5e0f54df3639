"""`python -m infra.emulator up | down | status | env`."""

from __future__ import annotations

import argparse
import sys

from infra.emulator.servers import Emulator
from mercato.errors import MercatoError


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m infra.emulator", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status", "env"))
    emulator = Emulator()
    try:
        match parser.parse_args().command:
            case "up":
                seconds = emulator.up()
                print(f"AWS answers at {emulator.endpoint} after {seconds:.1f} s")
            case "down":
                emulator.down()
                print("stopped")
            case "env":
                print("\n".join(f"export {name}={value}" for name, value in emulator.environment().items()))
            case _:
                return _status(emulator)
    except MercatoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _status(emulator: Emulator) -> int:
    running = emulator.running()
    if not running:
        print("stopped")
        return 3
    for name, pid in running.items():
        print(f"{name:<5} pid {pid:<8} {emulator.log(name)}")
    print(f"AWS {'answers' if emulator.healthy() else 'does not answer'} at {emulator.endpoint}")
    return 0 if emulator.healthy() else 1


if __name__ == "__main__":
    sys.exit(main())
