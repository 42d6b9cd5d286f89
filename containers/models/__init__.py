"""Writes the files for the models in models.toml: Compose services, Kubernetes manifests and targets of the gateway."""
