"""Serve the fraud model: the SageMaker container contract as a plain process.

    SM_MODEL_DIR=... SAGEMAKER_BIND_TO_PORT=8080 python serve.py [--host 0.0.0.0]

Its routes are those of `mercato_models.serving`; a row holds `mercato_models.fraud.live.GIVEN` or
`mercato_models.fraud.state.FEATURES`.
"""

from mercato_models.serving import main

if __name__ == "__main__":
    main(__doc__.split("\n")[0])
