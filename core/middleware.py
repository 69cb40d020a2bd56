"""What every request goes through: a number for the logs, and a calm answer while the database is away."""

import gzip
import logging
import secrets
import uuid
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from core.errors import Locked
from core.logs import REQUEST_ID, request_id

SMALLEST_COMPRESSED = 1000
# The quickest level.
COMPRESSION = 1
LONGEST_PADDING = 100

Handler = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)


def request_context(get_response: Handler) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponse:
        # Not taken back: Django writes its line about a 404 after all middleware. The next request has its own number.
        request_id.set(request.META.get(REQUEST_ID) or uuid.uuid4().hex[:8])
        return get_response(request)

    return middleware


def refuse_nul(get_response: Handler) -> Handler:
    """Answer 400 to a NUL character in an address: PostgreSQL keeps none, and no link of ours has one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "\0" in request.path or "\0" in query or "%00" in query:
            return render(request, "400.html", {"error_reference": request_id.get()}, status=400)
        return get_response(request)

    return middleware


def compress_pages(get_response: Handler) -> Handler:
    """Compress HTML pages.

    A random number of bytes is added and each answer masks the CSRF token anew, so that the length of an answer tells
    nothing about a secret in it (BREACH).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html") and not response.streaming
        if not is_page or len(response.content) < SMALLEST_COMPRESSED or response.has_header("Content-Encoding"):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if "gzip" not in request.META.get("HTTP_ACCEPT_ENCODING", ""):
            return response
        response.content = _gzipped(response.content)
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(response.content))
        if (tag := response.get("ETag", "")).startswith('"'):
            response["ETag"] = f"W/{tag}"
        return response

    return middleware


def _gzipped(content: bytes) -> bytes:
    """A gzip file whose header carries a name of random length, as Django's own middleware writes it."""
    packed = gzip.compress(content, compresslevel=COMPRESSION, mtime=0)
    name = b"a" * secrets.randbelow(LONGEST_PADDING) + b"\0"
    # Byte 3 holds flags; 8 says that a name follows the ten bytes of the header.
    return packed[:3] + b"\x08" + packed[4:10] + name + packed[10:]


def locked_by_others(get_response: Handler) -> Handler:
    """Answer every view alike where somebody else works on the same thing: 503, nothing changed, try again."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Locked):
            return None
        response = render(request, "503_locked.html", status=503)
        response["Retry-After"] = "5"
        response["Cache-Control"] = "no-store"
        return response

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def database_outage(get_response: Handler) -> Handler:
    """Turn a lost or refused database connection into 503 with Retry-After, wherever it shows up."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(request, exception) if isinstance(exception, (OperationalError, InterfaceError)) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer while the database is away."""
    logger.error("database unavailable: %s", type(error).__name__)
    response = render(request, "503.html", status=503)
    response["Retry-After"] = "5"
    return response
