"""Personal data in privacy cases."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.personal_data import DataKind, Erasing, Held, Person, iso
from privacy.models import PrivacyCase

HELD = (
    Held(
        model="privacy.PrivacyCase",
        columns=("note", "decision"),
        what=_("How a request came, how the person was recognised, and why it was declined"),
        why=_("To answer requests and to prove the answer (Art. 5(2) GDPR)"),
        kind=DataKind.NOTES,
        erasing=Erasing.BLANK,
        rows=lambda person: PrivacyCase.objects.filter(customer_id__in=person.customer_ids),
        export="requests",
        note=_("Kind, dates and who decided stay, to prove that the request was answered."),
    ),
    Held(
        model="privacy.CaseEvent",
        columns=("actor_name",),
        what=_("Staff member who handled a request"),
        why=_("To prove who decided"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
    Held(
        model="privacy.Retention",
        columns=("updated_by",),
        what=_("User who set how long data is kept"),
        why=_("To see who changed the setting"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
    Held(
        model="privacy.ReadingLimits",
        columns=("updated_by",),
        what=_("User who set from when unusual reading is reported"),
        why=_("To see who changed the setting"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
    Held(
        model="privacy.ReadingAlert",
        columns=("user_name", "settled_by"),
        what=_("User who opened unusually many records, and the owner who looked into it"),
        why=_("To notice and prove that somebody read more than their work needs"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff, and is deleted with the rows of the access log."),
    ),
    Held(
        model="privacy.ErasedCustomer",
        columns=("customer_reference",),
        what=_("Random reference of an erased record"),
        why=_("To erase again what a restored backup brings back (Art. 17 GDPR)"),
        kind=DataKind.LOGS,
        erasing=Erasing.KEEP,
        note=_("It names nobody: the record that it leads to is empty."),
    ),
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    "privacy.PrivacyCase": ("reference",),
    "privacy.CaseEvent": ("hindrances",),
}


def exported(person: Person) -> dict[str, Any]:
    cases = PrivacyCase.objects.filter(customer_id__in=person.customer_ids).order_by("pk")
    return {
        "requests": [
            {
                "kind": str(each.kind),
                "opened_at": iso(each.opened_at),
                "due_on": each.due_on.isoformat(),
                "state": str(each.state),
                "note": each.note,
                "decision": each.decision,
            }
            for each in cases
        ]
    }
