"""Limits against abuse, counted in Redis. Losing Redis loses the counting and nothing else: everybody is let through.

A client of its own with short time-outs, and a memory of an outage, see to it that a hung Redis costs a request a
quarter of a second once, not each time.
"""

import logging
import time
from functools import lru_cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.references import keyed_hash

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
TIMEOUT_SECONDS = 0.25
PAUSE_AFTER_FAILURE_SECONDS = 5.0
_NO_END = -1


def allow(bucket: str, key: str, *, per_minute: int) -> bool:
    """Count one more of ``key`` in ``bucket`` and say whether it is within ``per_minute``."""
    return within(bucket, key, limit=per_minute, seconds=WINDOW_SECONDS)


def within(bucket: str, key: str, *, limit: int, seconds: int) -> bool:
    """Count one more of ``key`` in ``bucket`` and say whether that makes at most ``limit`` in so many seconds.

    They begin with the first one counted. ``key`` (an address, say) is stored as a pseudonym only. True when Redis
    cannot be asked.
    """
    if _breaker.is_open():
        return True
    name = _name(bucket, key)
    try:
        client = _client(settings.REDIS_URL)
        with client.pipeline(transaction=False) as pipeline:
            pipeline.set(name, 0, ex=seconds, nx=True)
            pipeline.incr(name)
            pipeline.ttl(name)
            _, count, seconds_left = pipeline.execute()
        if seconds_left == _NO_END:  # it expired between the first two commands, and would count for ever
            client.expire(name, seconds)
    except (redis.RedisError, OSError) as error:
        logger.warning("limits are not counted: %s", type(error).__name__)
        _breaker.trip()
        return True
    return bool(count <= limit)


def is_reached(bucket: str, key: str, *, limit: int) -> bool:
    """Say whether ``key`` was counted ``limit`` times already, without counting. False when Redis cannot be asked."""
    if _breaker.is_open():
        return False
    try:
        count = _client(settings.REDIS_URL).get(_name(bucket, key))
    except (redis.RedisError, OSError) as error:
        logger.warning("limits are not counted: %s", type(error).__name__)
        _breaker.trip()
        return False
    return int(count or 0) >= limit


def _name(bucket: str, key: str) -> str:
    return f"oh:limit:{bucket}:{keyed_hash(settings.SECRET_KEY, key)}"


class _Breaker:
    """Remembers for some seconds that Redis did not answer."""

    def __init__(self) -> None:
        self._until = 0.0

    def is_open(self) -> bool:
        return time.monotonic() < self._until

    def trip(self) -> None:
        self._until = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS

    def reset(self) -> None:
        self._until = 0.0


_breaker = _Breaker()


@lru_cache(maxsize=2)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        # Asking again would only double the wait.
        retry=Retry(NoBackoff(), 0),
    )
