"""A model behind a Kubernetes Service, reached from inside or outside the cluster."""

from backends.kinds.kubernetes.backend import connect

__all__ = ["connect"]
