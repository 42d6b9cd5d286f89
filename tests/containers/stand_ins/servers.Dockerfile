# Replaces servers on machines without a registry: Debian's packages, with the users, folders and start of the
# originals. Each server is a stage; they share one layer with the packages of all.
FROM python:3.11-slim-bookworm AS packages
# hadolint ignore=DL3008
RUN useradd --system --uid 999 --user-group --home-dir /data --create-home redis \
    && useradd --system --uid 999 --non-unique --gid 999 --home-dir /var/lib/postgresql postgres \
    && mkdir /etc/postgresql-common && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf \
    && apt-get update && apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold \
    prometheus wget redis-server postgresql \
    && rm -rf /var/lib/apt/lists/*

# The original has wget from busybox.
FROM packages AS prometheus
RUN mkdir -p /prometheus && chown 65534:65534 /prometheus
USER 65534:65534
ENTRYPOINT ["prometheus"]

FROM packages AS redis
WORKDIR /data
CMD ["redis-server"]

# A new volume gets a user with a password and a database; until they are there, only the socket reaches the server.
FROM packages AS postgres
ENV PGDATA=/var/lib/postgresql/data LANG=C.UTF-8
RUN ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/ \
    && install --directory --owner 999 --group 999 --mode 1777 "$PGDATA" \
    && install --directory --owner 999 --group 999 --mode 3777 /run/postgresql \
    && printf '%s\n' 'set -e' \
    'chmod 700 "$PGDATA"' \
    'if [ ! -s "$PGDATA/PG_VERSION" ]; then' \
    '  initdb --auth-local trust --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE"' \
    '  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"' \
    '  pg_ctl start --wait --options "-c listen_addresses="' \
    '  createdb --username "$POSTGRES_USER" --maintenance-db postgres "$POSTGRES_DB"' \
    '  pg_ctl stop --wait --mode fast' \
    'fi' \
    'exec postgres -c "listen_addresses=*"' > /start
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["bash", "/start"]
