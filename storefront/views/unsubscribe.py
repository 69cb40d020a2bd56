"""The page behind the unsubscribe link of an e-mail, which mail programs may also call by themselves (RFC 8058)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core import clock
from notifications.unsubscribing import is_unsubscribed, read_unsubscribe_token
from notifications.unsubscribing import unsubscribe as end_news
from storefront.tokens import token_page

ONE_CLICK = "One-Click"


@csrf_exempt  # a mail program has no cookie and no form of this site; the token is the authorization
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET only asks, so that e-mail scanners unsubscribe no customer. A one-click POST ends news at once."""
    pseudonym = read_unsubscribe_token(token)
    if pseudonym is None:
        raise Http404
    if request.method == "POST" and request.POST.get("List-Unsubscribe") == ONE_CLICK:
        end_news(pseudonym=pseudonym, now=clock.now())
    context = {"token": token, "is_done": is_unsubscribed(pseudonym=pseudonym)}
    return render(request, "storefront/unsubscribe.html", context)
