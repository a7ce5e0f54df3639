"""The CDK app: `make synth` starts it with `--env prod`, the CDK CLI (cdk.json) with `--context env=prod`."""

from __future__ import annotations

import sys

from infra.cdk.main import main

if __name__ == "__main__":
    sys.exit(main())
