"""A stand-in for Stripe's API, for `make run` and the tests: what Stripe's library sends, it answers as Stripe does.

    python -m devservers.stripe_edge PORT UPSTREAM_PORT SITE_URL WEBHOOK_URL [FOLDER]

The three keys come in the environment. Behind it runs localstripe. It serves the script for the browser too, and under
`/_edge/` what tests ask for. Card numbers are neither kept nor logged.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from devservers import stripe_browser, stripe_orders
from devservers.ports import LOOPBACK
from devservers.stripe_api import Edge
from devservers.stripe_events import Events


def application(edge: Edge, site: str) -> web.Application:
    """The routes, open to pages of the site and of this machine."""

    @web.middleware
    async def allow_site(
        request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        answer = web.Response() if request.method == "OPTIONS" else await handler(request)
        origin = request.headers.get("Origin", "")
        if origin == site or urlsplit(origin).hostname in ("localhost", LOOPBACK):
            answer.headers.update({"Access-Control-Allow-Origin": origin, "Vary": "Origin"})
            answer.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        return answer

    async def close(app: web.Application) -> None:
        await edge.close()

    app = web.Application(middlewares=[allow_site])
    app.on_shutdown.append(close)
    app.router.add_route("*", "/v1/{path:.+}", edge.answer)
    app.router.add_post("/_edge/{order}", lambda request: stripe_orders.obey(edge, request))
    stripe_browser.add_routes(app, edge.ledger, edge.keys, edge.save)
    return app


def main() -> None:
    port, upstream_port, site, webhook_url, *folder = sys.argv[1:]
    keys = stripe_browser.Keys(os.environ["STRIPE_SECRET_KEY"], os.environ["STRIPE_PUBLISHABLE_KEY"])
    events = Events(webhook_url, os.environ["STRIPE_WEBHOOK_SECRET"])
    place = Path(folder[0]) if folder else None

    async def build() -> web.Application:
        edge = Edge(f"http://{LOOPBACK}:{upstream_port}", keys, events, place)
        return application(edge, site.rstrip("/"))

    web.run_app(build(), host=LOOPBACK, port=int(port), shutdown_timeout=1, access_log=None, print=lambda *words: None)


if __name__ == "__main__":
    main()
