# The server in an image: GraphiQL built from its locked packages, the Python packages installed by
# hash, no compiler, no npm, no root. The file system may be read-only.

FROM node:22-slim AS explorer
WORKDIR /build
COPY explorer explorer
COPY app/web/static/page app/web/static/page
RUN node explorer/build.js

FROM python:3.13-slim AS packages
RUN python -m venv /opt/kubeorch
COPY requirements-image.lock .
RUN /opt/kubeorch/bin/pip install --no-cache-dir --require-hashes -r requirements-image.lock

FROM python:3.13-slim
ENV PATH=/opt/kubeorch/bin:$PATH \
    PYTHONPATH=/srv/kubeorch \
    PYTHONDONTWRITEBYTECODE=1 \
    KUBEORCH_ENVIRONMENT=production \
    KUBEORCH_HOST=0.0.0.0 \
    KUBEORCH_PORT=8000 \
    KUBEORCH_DATA_DIR=/var/lib/kubeorch
COPY --from=packages /opt/kubeorch /opt/kubeorch
COPY app /srv/kubeorch/app
COPY schema /srv/kubeorch/schema
COPY --from=explorer /build/app/web/static/explorer /srv/kubeorch/app/web/static/explorer
RUN python -m compileall -q /srv/kubeorch \
    && printf '#!/bin/sh\nexec python -m app.cli "$@"\n' > /opt/kubeorch/bin/kubeorch \
    && chmod 755 /opt/kubeorch/bin/kubeorch \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/kubeorch
# A number, so that Kubernetes' runAsNonRoot can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/kubeorch
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"KUBEORCH_PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["kubeorch"]
CMD ["serve"]
