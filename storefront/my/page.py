"""What every page of a signed-in customer shares."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.customer_session import customer_of
from storefront.tokens import SignInFirst, TokenView, token_page


def my_page(view: Callable[..., HttpResponse]) -> TokenView:
    """Give the view the signed-in customer as its second argument, and keep the page out of caches.

    A visitor who is not signed in is sent to the sign-in.
    """

    @token_page
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        customer = customer_of(request)
        if customer is None:
            raise SignInFirst
        return view(request, customer, *args, **kwargs)

    return page


def see_other(url: str) -> HttpResponse:
    """Redirect with 303, so that a reload does not repeat the POST."""
    return HttpResponseRedirect(url, status=303)
