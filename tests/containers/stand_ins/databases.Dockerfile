# Replaces redis and postgres on machines without a registry: Debian's packages, with the users, folders and start of
# the originals. An empty folder of data gets a user with a password and a database, which only the socket reaches
# until they are there.
FROM python:3.11-slim-bookworm AS databases
# hadolint ignore=DL3008
RUN useradd --system --uid 999 --user-group --home-dir /data --create-home redis \
    && useradd --system --uid 999 --non-unique --gid 999 --home-dir /var/lib/postgresql postgres \
    && mkdir /etc/postgresql-common && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold redis-server postgresql \
    && ln -s /usr/lib/postgresql/*/bin /opt/postgresql \
    && install --directory --owner 999 --group 999 --mode 1777 /var/lib/postgresql/data \
    && install --directory --owner 999 --group 999 --mode 3777 /run/postgresql
ENV PATH=/opt/postgresql:$PATH LANG=C.UTF-8

FROM databases AS redis
WORKDIR /data
ENTRYPOINT []
CMD ["redis-server"]

FROM databases AS postgres
ENV PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
RUN printf '%s\n' 'set -e' \
    'chmod 700 "$PGDATA"' \
    'if [ ! -s "$PGDATA/PG_VERSION" ]; then' \
    '  initdb --auth-host scram-sha-256 --auth-local trust --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE"' \
    '  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"' \
    '  pg_ctl start --wait --options "-c listen_addresses="' \
    '  createdb --username "$POSTGRES_USER" --maintenance-db postgres "$POSTGRES_DB"' \
    '  pg_ctl stop --wait --mode fast' \
    'fi' \
    'exec postgres -c listen_addresses="*"' > /start
ENTRYPOINT ["bash", "/start"]
