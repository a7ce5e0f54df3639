"""The `mercato` command: one module per area, each adds its commands by `register`."""
