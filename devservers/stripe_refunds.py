"""Money that goes back: refunds, within what was charged, and disputes."""

import secrets

from devservers.stripe_params import Parameters, Refused, bad
from devservers.stripe_things import Thing, Things


class Refunds(Things):
    """The things, and how charges are given back."""

    async def create_refund(self, given: Parameters) -> Thing:
        """Give money back, at most what was charged."""
        charge = self._refundable(given)
        left = charge["amount"] - charge["amount_refunded"]
        amount = given.get("amount", left)
        if not left:
            raise Refused(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if charge["disputed"]:
            raise Refused(
                400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
            )
        if amount < 1:
            raise bad("Invalid positive integer", "amount", "parameter_invalid_integer")
        if amount > left:
            whole = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
            raise Refused(400, f"Refund amount ({amount}) is greater than {whole} ({left})", param="amount")
        theirs = await self._post("refunds", {"charge": charge["id"], "amount": amount})
        refund = self._keep("refund", theirs, given, amount=amount, charge=charge["id"], currency=charge["currency"])
        refund |= {"payment_intent": charge["payment_intent"], "reason": given.get("reason"), "receipt_number": None}
        refund["balance_transaction"] = theirs["balance_transaction"]
        refund["destination_details"] = {"type": "card", "card": {"type": "refund", "reference_status": "pending"}}
        planned = self._card(self.find(charge["payment_method"])).refund
        outcome = self.refund_outcomes.pop(0) if self.refund_outcomes else "pending" if planned == "pending" else ""
        refund["status"] = "pending" if outcome == "pending" else "succeeded"
        self._count_refund(charge, amount)
        self._emit("refund.created", refund)
        self._emit("charge.refunded", charge)
        if outcome == "failed" or planned == "fails":
            self.settle_refund(refund["id"], "failed")
        return refund

    def settle_refund(self, id_: str, outcome: str) -> Thing:
        """What becomes of a refund later: succeeded or failed. A failed one brings the money back to us."""
        refund = self.find(id_)
        if refund["status"] == "failed" or outcome not in ("succeeded", "failed"):
            raise Refused(400, f"A refund that is {refund['status']} cannot become {outcome}.")
        refund["status"] = outcome
        if outcome == "failed":
            refund["failure_reason"] = "expired_or_canceled_card"
            self._count_refund(self.find(refund["charge"]), -refund["amount"])
            self._emit("refund.failed", refund)
        self._emit("refund.updated", refund)
        return refund

    def open_dispute(self, charge_id: str, reason: str) -> Thing:
        charge = self.find(charge_id)
        dispute = self._keep("dispute", {"id": f"du_{secrets.token_hex(9)}"}, {}, charge=charge_id, reason=reason)
        dispute |= {key: charge[key] for key in ("amount", "currency", "payment_intent")} | {"status": "needs_response"}
        dispute |= {"balance_transactions": [], "is_charge_refundable": False, "evidence": {}}
        charge["disputed"] = True
        self._emit("charge.dispute.created", dispute)
        return dispute

    def close_dispute(self, id_: str, *, won: bool) -> Thing:
        dispute = self.find(id_)
        dispute["status"] = "won" if won else "lost"
        self._emit("charge.dispute.closed", dispute)
        return dispute

    def _refundable(self, given: Parameters) -> Thing:
        if bool(given.get("charge")) == bool(given.get("payment_intent")):
            raise bad("One of these parameters has to be given, and one only: charge, payment_intent.", "charge")
        if given.get("charge"):
            charge: Thing | None = self.find(given["charge"], "charge")
        else:
            intent = self.find(given["payment_intent"], "payment_intent")
            charge = self.things.get(intent["latest_charge"] or "")
        if charge is None or charge["status"] != "succeeded":
            source = given.get("payment_intent") or given["charge"]
            raise Refused(400, f"This PaymentIntent ({source}) does not have a successful charge to refund.")
        return charge

    def _count_refund(self, charge: Thing, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
