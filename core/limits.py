"""Limits against abuse, counted in Redis, and in PostgreSQL while Redis does not answer.

Counts start at zero at each change between Redis and PostgreSQL, so each outage may allow a limit once more. Because of
short time-outs and a circuit breaker, a frozen Redis costs a process at most half a second every few seconds.
"""

import logging
from functools import lru_cache

import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.breaker import Breaker
from core.references import keyed_hash

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
TIMEOUT_SECONDS = 0.25
_NO_END = -1

_breaker = Breaker(pause_seconds=5.0)

# Uses PostgreSQL's ``clock_timestamp()``, which all web processes share and which advances inside a transaction.
_COUNT = """
    INSERT INTO core_limitcount AS counted (name, count, ends_at)
    VALUES (%(name)s, 1, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (name) DO UPDATE SET
        count = CASE WHEN counted.ends_at <= clock_timestamp() THEN 1 ELSE counted.count + 1 END,
        ends_at = CASE WHEN counted.ends_at <= clock_timestamp() THEN excluded.ends_at ELSE counted.ends_at END
    RETURNING count
"""
_READ = "SELECT count FROM core_limitcount WHERE name = %s AND ends_at > clock_timestamp()"


def allow(bucket: str, key: str, *, per_minute: int) -> bool:
    """Count one event of ``key`` in ``bucket`` and say whether it is within ``per_minute``."""
    return within(bucket, key, limit=per_minute, seconds=WINDOW_SECONDS)


def within(bucket: str, key: str, *, limit: int, seconds: int) -> bool:
    """Count one event of ``key`` in ``bucket`` and say whether there are at most ``limit`` in ``seconds``.

    The window starts with the first event. ``key`` (an IP address, for instance) is stored only as a pseudonym.
    """
    name = _name(bucket, key)
    count = _count_in_redis(name, seconds)
    if count is None:
        count = _count_in_database(name, seconds)
    return count <= limit


def is_reached(bucket: str, key: str, *, limit: int) -> bool:
    """Say whether ``key`` has reached ``limit``, without counting an event."""
    name = _name(bucket, key)
    count = _read_redis(name)
    if count is None:
        count = _read_database(name)
    return count >= limit


def _name(bucket: str, key: str) -> str:
    return f"oh:limit:{bucket}:{keyed_hash(settings.SECRET_KEY, key)}"


def _count_in_redis(name: str, seconds: int) -> int | None:
    """Count an event and return the new count; None if Redis does not answer."""
    if _breaker.is_open():
        return None
    try:
        client = _client(settings.REDIS_URL)
        with client.pipeline(transaction=False) as pipeline:
            pipeline.set(name, 0, ex=seconds, nx=True)
            pipeline.incr(name)
            pipeline.ttl(name)
            _, count, seconds_left = pipeline.execute()
        if seconds_left == _NO_END:  # the key expired between SET and INCR, so it has no end
            client.expire(name, seconds)
    except (redis.RedisError, OSError) as error:
        _note_outage(error)
        return None
    return int(count)


def _read_redis(name: str) -> int | None:
    """Return the count; None if Redis does not answer."""
    if _breaker.is_open():
        return None
    try:
        return int(_client(settings.REDIS_URL).get(name) or 0)
    except (redis.RedisError, OSError) as error:
        _note_outage(error)
        return None


def _note_outage(error: Exception) -> None:
    logger.warning("limits are counted in PostgreSQL: %s", type(error).__name__)
    _breaker.trip()


def _count_in_database(name: str, seconds: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"name": name, "seconds": seconds})
        return int(cursor.fetchone()[0])


def _read_database(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_READ, [name])
        found = cursor.fetchone()
        return int(found[0]) if found else 0


@lru_cache(maxsize=2)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        # A retry would only double the wait.
        retry=Retry(NoBackoff(), 0),
    )
