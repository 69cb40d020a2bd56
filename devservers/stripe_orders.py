"""What tests ask of the stand-in under `/_edge/`: outcomes, faults, deliveries, and what it saw."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from devservers import stripe_browser
from devservers.stripe_api import Edge, Fault
from devservers.stripe_events import Plan
from devservers.stripe_params import Parameters, Refused


async def obey(edge: Edge, request: web.Request) -> web.Response:
    """`POST /_edge/<order>` with JSON, for who has the secret key."""
    if stripe_browser.key_of(request) != edge.keys.secret:
        return web.json_response({"error": "The secret key is missing."}, status=401)
    given = await request.json()
    try:
        async with edge.ledger.changing:
            edge.cause = {"id": None, "idempotency_key": None}
            answer = await _ordered(edge, request.match_info["order"], given)
            edge.save()
    except Refused as refused:
        return web.json_response({"error": refused.error}, status=refused.status)
    return web.json_response(answer)


async def _ordered(edge: Edge, order: str, given: Parameters) -> Any:
    ledger, events = edge.ledger, edge.events
    match order:
        case "pay":
            return await ledger.settle_intent(given["id"], given["outcome"])
        case "set_up":
            return await ledger.settle_setup(given["id"], given["outcome"])
        case "refund":
            return await ledger.create_refund(given)
        case "refund_outcomes":
            ledger.refund_outcomes = list(given["outcomes"])
        case "settle_refund":
            return ledger.settle_refund(given["id"], given["outcome"])
        case "dispute":
            intent = ledger.find(given["payment_intent"])
            return ledger.open_dispute(intent["latest_charge"] or "", given["reason"])
        case "close_dispute":
            return ledger.close_dispute(given["id"], won=given["won"])
        case "fault":
            edge.faults.append(Fault(**given))
        case "plan":
            events.plans.append(Plan(**given))
        case "release":
            return {"released": events.release(given["order"], given["seed"])}
        case "resend":
            events.deliver(ledger.find(given["id"]))
        case "webhook":
            events.url = given["url"]
        case "state":
            return events.state() | {"requests": edge.requests, "faults": [asdict(fault) for fault in edge.faults]}
        case "calm":
            edge.calm()
        case "reset":
            edge.break_off()
            await events.reset()
            edge.faults, edge.requests, edge.answers, ledger.refund_outcomes = [], [], {}, []
            ledger.things, ledger.numbers, ledger.set_up = {}, {}, set()
        case _:
            raise Refused(404, f"No such order: {order}")
    return {}
