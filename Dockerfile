# The image of every Airflow service in docker-compose.yml: the locked packages without those of development, and this project.
FROM python:3.11-slim

COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
WORKDIR /opt/loyalty
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
RUN uv venv "$VIRTUAL_ENV"
COPY requirements-image.lock .
RUN uv pip sync --no-cache --require-hashes --compile-bytecode requirements-image.lock
# With spark among the profiles of compose: Java, and the packages for `engine: spark`.
ARG EXTRA=""
COPY pyproject.toml .
RUN if echo "$EXTRA" | grep --quiet spark; then \
    apt-get update && apt-get install --yes --no-install-recommends default-jre-headless procps \
    && rm -rf /var/lib/apt/lists/* \
    && uv pip install --no-cache --compile-bytecode --constraint requirements-image.lock --extra spark -r pyproject.toml; \
    fi
COPY . .
RUN uv pip install --no-cache --no-deps --no-build-isolation --editable . \
    && mkdir -p /opt/airflow /data && chmod g+rwX /opt/airflow /data
