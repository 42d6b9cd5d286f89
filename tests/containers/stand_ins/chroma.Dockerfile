# Replaces chromadb/chroma on machines without a registry: the same server, from the package in the demo image.
ARG DEMO
FROM ${DEMO}
USER 0
WORKDIR /data
EXPOSE 8000
HEALTHCHECK NONE
STOPSIGNAL SIGTERM
ENTRYPOINT ["chroma", "run", "--host", "0.0.0.0", "--port", "8000", "--path", "/data"]
CMD []
