"""Models: what training, serving and the API share. Pure functions over arrays, no I/O."""
