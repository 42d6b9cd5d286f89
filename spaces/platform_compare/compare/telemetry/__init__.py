"""Records what GPUs and servers say of themselves while a run measures."""
