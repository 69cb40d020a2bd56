"""Health checks, robots.txt, uploaded pictures and error pages."""

from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from core.logs import request_id
from core.pictures import STORED_NAME, TYPES

_NOT_FOR_SEARCH = ("/b/", "/h/", "/pay/", "/u/", "/desk/", "/admin/")


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process runs; checks no other server."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the site can take bookings, which needs only the database; else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
@cache_control(public=True, max_age=24 * 3600)
def robots(request: HttpRequest) -> HttpResponse:
    """Exclude the pages of single bookings and of staff from search engines."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _NOT_FOR_SEARCH)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=365 * 24 * 3600, immutable=True)
def picture(request: HttpRequest, folder: str, name: str) -> HttpResponseBase:
    """Serve an uploaded picture. A file never changes under its name, so browsers may cache it for a year.

    The headers keep a browser from treating the file as anything but a picture.
    """
    match = STORED_NAME.fullmatch(name)
    if match is None:
        raise Http404
    try:
        file = default_storage.open(f"{folder}/{name}")
    except OSError:
        raise Http404 from None
    response = FileResponse(file, content_type=TYPES[match[1]])
    response["Content-Disposition"] = "inline"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _error_page(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, f"{status}.html", {"error_reference": request_id.get()}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _error_page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
