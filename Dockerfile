# The application alone. PostgreSQL and Redis or Valkey come from elsewhere: docker-compose.yml shows one way.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt

FROM python:3.11.14-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/srv/static MEDIA_ROOT=/srv/media HOST=0.0.0.0 PORT=8000
RUN useradd --system --uid 10001 --home-dir /srv --shell /usr/sbin/nologin openhours \
    && install -d -o openhours -g openhours /srv/media
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# Collecting static files reads the settings but contacts nothing. These values stay in this one step.
RUN SECRET_KEY=only-while-building-only-while-building-only LINK_KEY=only-while-building-only-while-building-only \
    FIELD_KEYS=b25seS13aGlsZS1idWlsZGluZy1vbmx5LXdoaWxlLWI= DATABASE_URL=postgresql://nobody@127.0.0.1:1/none \
    REDIS_URL=redis://127.0.0.1:1/0 SITE_URL=http://localhost \
    python manage.py collectstatic --no-input --verbosity 0
USER openhours
EXPOSE 8000
# worker and beat are started by `bin/start worker` and `bin/start beat`.
CMD ["bin/start", "web"]
STOPSIGNAL SIGTERM
