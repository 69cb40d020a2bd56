"""How often somebody may try to sign in. Every door of the site counts together, before any password is checked."""

from django.conf import settings

from core import limits


def may_try(account: str, address: str) -> bool:
    """Count a try for the account (an e-mail as typed), then for the address; False when one had too many."""
    # Accounts are found by comparing in capitals, where a dotless ı is an I as well: it must not be counted apart.
    keys = (account.strip().upper().lower(), address)
    return all(limits.allow("sign-in", key, per_minute=settings.SIGN_INS_PER_MINUTE) for key in keys)
