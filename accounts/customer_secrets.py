"""Password and passkeys of customers, which spare them the code. Both are optional, and the code always works.

Accounts of staff get neither here: they would open the desk to whoever reads the mailbox.
"""

from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import (
    WebAuthn,
    complete_authentication,
    complete_registration,
    extract_user_from_response,
    parse_authentication_response,
    parse_registration_response,
)
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Lower

from accounts.contact.mailboxes import normalised_email, same_mailbox
from accounts.customer_sign_in import is_of_staff
from accounts.models import Customer, User
from accounts.second_factor import PASSKEY, SignInChange, tell_user

MOST_PASSKEYS = 10
# allauth and its library catch only a part of what a forged answer of a passkey can be.
_FORGED = (ValidationError, KeyError, AttributeError, TypeError, ValueError)


class PasskeyRefused(Exception):
    """The passkey's answer does not fit its challenge, or its owner did not unlock it by finger, face or PIN."""


def customer_with_password(email: str, password: str) -> Customer | None:
    """Return the customer who signs in with this address and password; None otherwise.

    It takes as long for an address without an account, or without a password.
    """
    boxes = same_mailbox(normalised_email(email))
    rows = User.objects.annotate(mailbox=Lower("email")).select_related("customer")
    user = rows.filter(mailbox__in=boxes, is_active=True).first()
    if user is None or not user.has_usable_password():
        User().set_password(password)
        return None
    is_right = user.check_password(password)
    return _customer_of(user) if is_right and not is_of_staff(user) else None


@transaction.atomic
def set_password(user: User, password: str, *, now: datetime) -> None:
    """Store a password, or with an empty one remove it. Tells the customer."""
    if password:
        user.set_password(password)
    else:
        user.set_unusable_password()
    user.save(update_fields=["password"])
    tell_user(user, SignInChange.PASSWORD if password else SignInChange.NO_PASSWORD, now=now)


def passkeys_of(user: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user_id=user.pk, type=PASSKEY).order_by("pk"))


def checked_passkey(credential: Any) -> dict[str, Any]:
    """Check the registration of a new passkey against the challenge in the session, and return it.

    :raises PasskeyRefused: when it does not fit.
    """
    try:
        parse_registration_response(credential)
        is_unlocked = complete_registration(credential).is_user_verified()
    except _FORGED as error:
        raise PasskeyRefused from error
    if not is_unlocked:
        raise PasskeyRefused
    registration: dict[str, Any] = credential
    return registration


@transaction.atomic
def add_passkey(user: User, credential: dict[str, Any], name: str, *, now: datetime) -> None:
    """Store a checked passkey and tell the customer. Nothing happens above ``MOST_PASSKEYS``. Locks the user's row."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if len(passkeys_of(user)) < MOST_PASSKEYS:
        WebAuthn.add(user, name, credential)
        tell_user(user, SignInChange.ADDED, now=now)


@transaction.atomic
def remove_passkey(user: User, authenticator_id: int, *, now: datetime) -> None:
    """Remove a passkey of this user and tell the customer; nothing happens if it is gone."""
    if Authenticator.objects.filter(user_id=user.pk, type=PASSKEY, pk=authenticator_id).delete()[0]:
        tell_user(user, SignInChange.REMOVED, now=now)


def drop_passkeys_of_customer(user: User) -> None:
    """Remove the passkeys of a user who is about to become staff: a code in a mailbox was enough to add them.

    Nothing happens to those of staff. Call it before the user gets a role.
    """
    if not is_of_staff(user):
        Authenticator.objects.filter(user_id=user.pk, type=PASSKEY).delete()


def customer_with_passkey(credential: Any) -> Customer | None:
    """Check a passkey against the challenge in the session, and return its customer; None if there is none.

    :raises PasskeyRefused: when it does not fit.
    """
    try:
        answer = parse_authentication_response(credential)
        user = extract_user_from_response(credential)
        complete_authentication(user, credential)
        is_unlocked = answer.response.authenticator_data.is_user_verified()
    except _FORGED as error:
        raise PasskeyRefused from error
    if not is_unlocked or not user.is_active:
        raise PasskeyRefused
    return _customer_of(user)


def _customer_of(user: User) -> Customer | None:
    customer: Customer | None = getattr(user, "customer", None)
    return customer
