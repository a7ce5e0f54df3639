"""The CDK app: `cdk deploy --all -c env=prod`, or `python app.py --env prod` for the templates alone."""

from __future__ import annotations

import sys

from infra.cdk.main import main

if __name__ == "__main__":
    sys.exit(main())
