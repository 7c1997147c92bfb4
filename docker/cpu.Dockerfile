# Parley on a CPU: docker build -f docker/cpu.Dockerfile -t parley .
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/parley
ENV PATH=/opt/parley/bin:$PATH
# torch comes first and alone: its layer stays when only Parley changes. For a CPU build name an index of such
# builds: --build-arg TORCH_ARGS="--index-url URL".
ARG TORCH_ARGS=""
RUN pip install --no-cache-dir $TORCH_ARGS "torch>=2.11,<2.14"
COPY pyproject.toml README.md LICENSE NOTICE CHANGELOG.md ./
COPY bot bot
COPY adapters adapters
COPY storage storage
# What else Parley shall be able to do, such as replicas of its engine: --build-arg EXTRAS="[ray]".
ARG EXTRAS=""
RUN pip install --no-cache-dir ".$EXTRAS"

FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 10001 parley && install -d -o parley -g parley /data
COPY --from=build /opt/parley /opt/parley
ENV PATH=/opt/parley/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/data/models \
    DATABASE_URL=sqlite+aiosqlite:////data/parley.db
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["parley"]
CMD ["run", "--host", "0.0.0.0"]
