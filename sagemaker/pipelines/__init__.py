"""SageMaker pipelines: one per model, all built alike from what `models` says of them."""
