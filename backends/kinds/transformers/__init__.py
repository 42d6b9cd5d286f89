"""A model in this process through transformers: on CUDA, MPS, the CPU, or ZeroGPU."""

from backends.kinds.transformers.backend import connect

__all__ = ["connect"]
