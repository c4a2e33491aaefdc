# One image for the API, its workers and migrations; what it does is the command. Kernels are compiled here, not at the first round.
FROM python:3.12-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE CHANGELOG.md ./
RUN pip install --require-hashes --requirement requirements.lock
COPY api api
COPY dispatch dispatch
COPY routing routing
RUN pip install --no-deps --no-build-isolation . \
    && useradd --system --uid 10001 --no-create-home allons \
    && install --directory --owner allons /opt/kernels
COPY scripts/entrypoint /usr/local/bin/entrypoint
# Away from the sources: numba knows a kernel by the folder it lies in, and what runs is what was installed.
WORKDIR /
USER allons
RUN NUMBA_CACHE_DIR=/opt/kernels python -m routing.warm && NUMBA_CACHE_DIR=/opt/kernels python -m dispatch.planning.warm
ENV KERNELS=/opt/kernels NUMBA_CACHE_DIR=/tmp/kernels
ENTRYPOINT ["entrypoint"]
CMD ["serve", "--host", "0.0.0.0"]
