"""Middleware of people's sign-ins."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.customer_session import begin_request, end_request
from core import clock


def keep_customers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Let ``accounts.customer_session`` know the time of each request, and set its cookie on the answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        begin_request(request, now=clock.now())
        response = get_response(request)
        end_request(request, response)
        return response

    return middleware
