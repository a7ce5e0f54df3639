"""Whether what a model is asked today still looks like what it learned from."""
