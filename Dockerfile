# One image for the API, its workers and migrations; what it does is the command. Kernels are compiled here, not at the first round.
FROM python:3.12-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 NUMBA_CACHE_DIR=/opt/kernels
WORKDIR /opt/allons
COPY requirements.lock pyproject.toml README.md LICENSE CHANGELOG.md ./
RUN pip install --require-hashes --requirement requirements.lock
COPY api api
COPY dispatch dispatch
COPY routing routing
RUN pip install --no-deps --no-build-isolation . \
    && useradd --system --uid 10001 --no-create-home allons \
    && mkdir -p /opt/kernels && chown allons /opt/kernels
USER allons
RUN python -m routing.warm && python -m dispatch.planning.warm
ENTRYPOINT ["allons"]
CMD ["serve", "--host", "0.0.0.0"]
