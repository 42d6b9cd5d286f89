# For chromadb/chroma where no registry is reached: the same server, out of the package that the demo image has.
ARG DEMO
FROM ${DEMO}
USER 0
WORKDIR /data
EXPOSE 8000
HEALTHCHECK NONE
STOPSIGNAL SIGTERM
ENTRYPOINT ["chroma", "run", "--host", "0.0.0.0", "--port", "8000", "--path", "/data"]
CMD []
