"""The emulator's process: ministack, taught what it lacks, in front of moto.

`python -m infra.emulator.serve PORT MOTO_URL`; with Python 3.13, because Lambda functions run as
processes of this interpreter.
"""

from __future__ import annotations

import asyncio
import os
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.emulator.account import ACCOUNT
from infra.emulator.forward import Forward
from infra.emulator.servers import HOST


def main(port: str, moto: str) -> None:
    """Serve until a signal says otherwise."""
    # ministack reads its own port when it is imported.
    os.environ["GATEWAY_PORT"] = port
    from ministack.app import app

    from infra.emulator import states
    from infra.emulator.register import register
    from infra.emulator.types.catalog import TYPES

    register(TYPES, f"http://{HOST}:{port}")
    states.register()
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.keep_alive_timeout = 75
    asyncio.run(serve(Forward(app, moto, ACCOUNT), config))


if __name__ == "__main__":
    main(*sys.argv[1:])
