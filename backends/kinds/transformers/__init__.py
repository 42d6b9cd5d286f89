"""A model in this process through transformers: on CUDA, MPS, the CPU, or ZeroGPU."""

from backends.transformers.backend import connect

__all__ = ["connect"]
