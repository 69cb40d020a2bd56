"""Personal data of customers' records, their consents and choices, users, sessions and the admin's log."""

from collections.abc import Iterator, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    ChannelChoice,
    Customer,
    CustomerEvent,
    CustomerNote,
    CustomerSession,
    CustomerTag,
    QuietHours,
    User,
)
from core.personal_data import DataKind, Erasing, Held, Person, iso


def _customers(person: Person) -> QuerySet[Customer]:
    return Customer.objects.filter(pk__in=person.customer_ids)


def _tags_of_nobody_else(person: Person) -> QuerySet[CustomerTag]:
    own = {tag for tags in _customers(person).values_list("tags", flat=True) for tag in tags}
    others = Customer.objects.exclude(pk__in=person.customer_ids).filter(tags__overlap=sorted(own)) if own else ()
    return CustomerTag.objects.filter(name__in=own - {tag for other in others for tag in other.tags})


def _sessions(person: Person) -> QuerySet[Session]:
    if person.user_id is None:
        return Session.objects.none()
    user_id = str(person.user_id)
    keys = [each.pk for each in Session.objects.all() if each.get_decoded().get(SESSION_KEY) == user_id]
    return Session.objects.filter(pk__in=keys)


def _users(person: Person) -> QuerySet[User]:
    """Return the user with whom the customer signs in, unless it is an account of staff, which is not the customer's
    alone.
    """
    own = User.objects.filter(pk__in=person.user_ids, is_staff=False, is_superuser=False)
    return own.filter(accesses=None, staff_member=None)


def _admin_log(person: Person) -> QuerySet[LogEntry]:
    of_customer = Q(content_type__model="customer", object_id__in=[str(each) for each in person.customer_ids])
    of_user = Q(content_type__model="user", object_id=str(person.user_id))
    return LogEntry.objects.filter(of_customer | of_user, content_type__app_label="accounts")


HELD = (
    Held(
        model="sessions.Session",
        columns=("session_key", "session_data"),
        what=_("Signed-in browsers"),
        why=_("To stay signed in"),
        kind=DataKind.SIGN_IN,
        erasing=Erasing.DELETE,
        rows=_sessions,
        note=_("A random key without information about the person, so it is not in the export."),
    ),
    Held(
        model="usersessions.UserSession",
        columns=("session_key", "ip", "user_agent", "data"),
        what=_("Browser and network address of a sign-in"),
        why=_("To list to users where they are signed in"),
        kind=DataKind.SIGN_IN,
        erasing=Erasing.DELETE,
        rows=lambda person: UserSession.objects.filter(user__in=_users(person)),
        note=_("It is deleted with the session, after twelve hours at the latest, so it is not in the export."),
    ),
    Held(
        model="accounts.CustomerSession",
        columns=("key_hash", "ip", "user_agent"),
        what=_("Browser and network address of a customer who is signed in"),
        why=_("To stay signed in, and to list to customers where they are"),
        kind=DataKind.SIGN_IN,
        erasing=Erasing.DELETE,
        rows=lambda person: CustomerSession.objects.filter(user_id__in=person.user_ids),
        export="account",
        note=_("It is deleted after 90 days without a visit."),
    ),
    Held(
        model="mfa.Authenticator",
        columns=("data",),
        what=_("Secrets of an app, passkeys and recovery codes, encrypted"),
        why=_("To sign in with a second step"),
        kind=DataKind.SIGN_IN,
        erasing=Erasing.DELETE,
        rows=lambda person: Authenticator.objects.filter(user__in=_users(person)),
        note=_("Whoever read the secrets could sign in, so they are not in the export."),
    ),
    Held(
        model="account.EmailAddress",
        columns=("email",),
        what=_("E-mail address of an account"),
        why=_("To sign in"),
        kind=DataKind.SIGN_IN,
        erasing=Erasing.DELETE,
        rows=lambda person: EmailAddress.objects.filter(user__in=_users(person)),
        note=_("It repeats the address of the account, which is in the export."),
    ),
    Held(
        model="accounts.User",
        columns=("email", "name", "password"),
        what=_("Account: e-mail, name, and a password that cannot be read back"),
        why=_("To sign in"),
        kind=DataKind.SIGN_IN,
        erasing=Erasing.DELETE,
        rows=_users,
        export="account",
    ),
    Held(
        model="admin.LogEntry",
        columns=("object_repr", "change_message"),
        what=_("Name of a record that was changed in the admin"),
        why=_("To see who changed what"),
        kind=DataKind.LOGS,
        erasing=Erasing.BLANK,
        rows=_admin_log,
        note=_("It repeats the name, which the export has with the contact details."),
    ),
    Held(
        model="accounts.CustomerTag",
        columns=("name",),
        what=_("Tags that only this customer has"),
        why=_("To group customers"),
        kind=DataKind.CONTACT,
        erasing=Erasing.DELETE,
        rows=_tags_of_nobody_else,
        export="contact",
    ),
    Held(
        model="accounts.CustomerNote",
        columns=("text",),
        what=_("Notes of staff about a customer"),
        why=_("To serve the customer the way they want"),
        kind=DataKind.NOTES,
        erasing=Erasing.DELETE,
        rows=lambda person: CustomerNote.objects.filter(customer_id__in=person.customer_ids),
        export="notes",
    ),
    Held(
        model="accounts.CustomerEvent",
        columns=("reason",),
        what=_("Why staff blocked a customer or trusts them"),
        why=_("To explain the decision later"),
        kind=DataKind.NOTES,
        erasing=Erasing.BLANK,
        rows=lambda person: CustomerEvent.objects.filter(customer_id__in=person.customer_ids),
        export="notes",
    ),
    Held(
        model="accounts.ChannelChoice",
        columns=("person_ref", "channel"),
        what=_("By which channels a customer wants messages"),
        why=_("To send messages only where they are wanted"),
        kind=DataKind.CONTACT,
        erasing=Erasing.DELETE,
        rows=lambda person: ChannelChoice.objects.filter(person_ref__in=person.person_refs),
        export="message_choices",
    ),
    Held(
        model="accounts.QuietHours",
        columns=("person_ref", "time_zone"),
        what=_("When a customer wants no messages"),
        why=_("To send no message at night"),
        kind=DataKind.CONTACT,
        erasing=Erasing.DELETE,
        rows=lambda person: QuietHours.objects.filter(person_ref__in=person.person_refs),
        export="message_choices",
    ),
    Held(
        model="accounts.Consent",
        columns=("text",),
        what=_("Consents, with the exact words and the times at which they were given and withdrawn"),
        why=_("To prove the consent (Art. 7 GDPR)"),
        kind=DataKind.CONTACT,
        erasing=Erasing.KEEP,
        export="consents",
        note=_(
            "The words are the same for everybody. After erasing, nothing in the row or around it names the person."
        ),
    ),
    Held(
        model="accounts.Customer",
        columns=(
            *("name", "email", "email_normalised", "phone", "phone_hash", "phone_end_hash", "notes", "tags"),
            "search_text",
        ),
        what=_("Name, e-mail, phone, tags, and what the search finds them by"),
        why=_("To know whose booking it is and to reach them"),
        kind=DataKind.CONTACT,
        erasing=Erasing.BLANK,
        rows=_customers,
        values={
            "email_normalised": None,
            "email_proven_at": None,
            "tags": [],
            "user_id": None,
            "is_blocked": False,
            "is_prepayment_exempt": False,
        },
        generated=("search_text",),
        export="contact",
    ),
    Held(
        model="accounts.AccessLog",
        columns=("reference",),
        what=_("When staff opened a customer's record, by its random reference"),
        why=_("To notice and prove that somebody read more than their work needs"),
        kind=DataKind.LOGS,
        erasing=Erasing.KEEP,
        export="readings",
        note=_("The reference leads to an empty record. Rows are deleted on their own after some months."),
    ),
    Held(
        model="accounts.AccessLog",
        columns=("user_name", "roles", "address_hash"),
        what=_("User who opened a record, their roles then, and a pseudonym of the network address"),
        why=_("To notice and prove that somebody read more than their work needs"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
    Held(
        model="accounts.CustomerNote",
        columns=("author_name",),
        what=_("Staff member who wrote a note"),
        why=_("To ask them about it"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff, and is deleted with the note."),
    ),
    Held(
        model="accounts.CustomerEvent",
        columns=("actor_name",),
        what=_("Staff member who changed a customer's record"),
        why=_("To see who changed what"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    "admin.LogEntry": ("object_id",),
    # The reference is random. It says that a record was erased, so that a restored backup can be erased again.
    "accounts.Customer": ("reference", "language"),
    "accounts.AccessLog": ("request_id",),
    # Names of the changed fields, never their values.
    "accounts.CustomerEvent": ("details",),
    # No row is written: addresses are not confirmed by it.
    "account.EmailConfirmation": ("key",),
    # No row is written: storefront.sign_in.oidc keeps nothing of the provider's account.
    "socialaccount.SocialAccount": ("provider", "uid", "extra_data"),
    "socialaccount.SocialApp": ("provider", "provider_id", "name", "client_id", "secret", "key", "settings"),
    "socialaccount.SocialToken": ("token", "token_secret"),
    # Random. They name neither the mailbox nor the code, and are deleted after a day.
    "accounts.SignInCode": ("token_hash", "seed"),
    "accounts.Consent": ("subject_ref", "purpose", "text_version"),
}


def exported(person: Person) -> dict[str, Any]:
    """Return the sections of the export about the customer's record. Instants are ISO 8601 in UTC."""
    customer = _customers(person).select_related("user").get(merged_into=None)
    return {
        "contact": {
            "reference": customer.reference,
            "name": customer.name,
            "email": customer.email,
            "email_confirmed_at": iso(customer.email_proven_at),
            "phone": customer.phone,
            "language": customer.language,
            "tags": list(customer.tags),
            "added_at": iso(customer.created_at),
            "may_not_book_online": customer.is_blocked,
            "never_asked_to_pay_in_advance": customer.is_prepayment_exempt,
            # A note from the time before notes had a date.
            "note": customer.notes,
            "merged_records": [
                {"reference": each.reference, "name": each.name, "email": each.email, "phone": each.phone}
                for each in customer.merged_records.order_by("pk")
            ],
        },
        "account": _account(customer.user),
        "notes": sorted(_notes(customer), key=lambda each: str(each["written_at"])),
        "consents": [
            {
                "purpose": each.purpose,
                "text": each.text,
                "given_at": iso(each.given_at),
                "withdrawn_at": iso(each.withdrawn_at),
                "about": each.subject_ref,
            }
            for each in customer.consents.order_by("pk")
        ],
        "message_choices": {
            "channels": {
                each.channel: each.is_on
                for each in ChannelChoice.objects.filter(person_ref__in=person.person_refs).order_by("channel")
            },
            "quiet_hours": [
                {"from_minute": each.start_minute, "to_minute": each.end_minute, "time_zone": each.time_zone}
                for each in QuietHours.objects.filter(person_ref__in=person.person_refs)
            ],
        },
    }


def _account(user: User | None) -> dict[str, Any] | None:
    if user is None:
        return None
    return {
        "email": user.email,
        "name": user.name,
        "since": iso(user.date_joined),
        "last_sign_in_at": iso(user.last_login),
        "signed_in": [
            {"since": iso(each.created_at), "last_used_at": iso(each.last_seen_at), "network_address": each.ip}
            | {"browser": each.user_agent}
            for each in user.customer_sessions.order_by("pk")
        ],
    }


def _notes(customer: Customer) -> Iterator[dict[str, Any]]:
    """What staff wrote about the customer. Who wrote it is data of somebody else."""
    for note in customer.staff_notes.order_by("pk"):
        yield {"kind": "note", "written_at": iso(note.created_at), "text": note.text}
    for event in customer.events.exclude(reason="").order_by("pk"):
        yield {"kind": str(event.kind), "written_at": iso(event.at), "text": event.reason, **event.details}
