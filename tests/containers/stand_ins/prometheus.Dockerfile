# Replaces prom/prometheus on machines without a registry: Debian's package with the same user, and wget, which the
# original has from busybox.
FROM python:3.11-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends prometheus wget \
    && mkdir -p /prometheus && chown 65534:65534 /prometheus
USER 65534:65534
ENTRYPOINT ["prometheus"]
