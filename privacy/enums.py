"""Kinds and states of privacy cases, what happens in them, what hinders erasing, and which reading is unusual."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CaseKind(TextChoices):
    ACCESS = "access", _("access to data")
    ERASURE = "erasure", _("erasure")


class CaseState(TextChoices):
    """APPROVED: a worker is about to erase. Only an erasure is approved; an access request goes from OPEN to DONE."""

    OPEN = "open", _("open")
    APPROVED = "approved", _("approved")
    DONE = "done", _("done")
    DECLINED = "declined", _("declined")


# Somebody still has to do something.
UNFINISHED = frozenset({CaseState.OPEN, CaseState.APPROVED})


class CaseStep(TextChoices):
    """What happened in a case. HINDERED: a worker found that the customer cannot be erased yet."""

    OPENED = "opened", _("opened")
    EXPORTED = "exported", _("data downloaded")
    APPROVED = "approved", _("erasure approved")
    HINDERED = "hindered", _("not erased, because something is unfinished")
    ERASED = "erased", _("erased")
    DONE = "done", _("done")
    DECLINED = "declined", _("declined")


class Hindrance(TextChoices):
    """Why a booking cannot be anonymised yet."""

    AHEAD = "ahead", _("is still to come")
    BALANCE = "balance", _("has an open balance")
    PAYMENT = "payment", _("has a payment that is not finished")
    REFUND = "refund", _("has a refund that is not finished")
    DISPUTE = "dispute", _("has a disputed payment")
    ALERT = "alert", _("has a problem with money that nobody has settled")
    FEE = "fee", _("has a fee that can still be waived")


class UnusualReading(TextChoices):
    """Why owners are alerted. REFUSED: a user tried to open records that they may not see, such as others' clients."""

    MANY = "many", _("many records in an hour")
    NIGHT = "night", _("at night, outside the opening hours")
    REFUSED = "refused", _("records that the user may not see")
