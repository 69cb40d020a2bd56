"""What the running site writes to its logs: addresses without their tokens."""

import httpx

from bookings.links import LinkRole, manage_token
from core.references import new_token
from tests.stack import Stack


class _Stranger:
    reference = "K7M4PX"
    link_version = staff_link_version = 1


def test_tokens_in_addresses_are_masked() -> None:
    secrets = [manage_token(_Stranger(), LinkRole.CUSTOMER), manage_token(_Stranger(), LinkRole.STAFF), new_token()]

    with Stack(programs=["web"]) as stack:
        for secret in secrets:
            for address in (f"/b/{secret}/", f"/b/{secret}/cancel?slot=1", f"/h/{secret}/", f"/h/{secret}"):
                httpx.get(stack.url + address)
        stack.stop("web")
        written = "".join(path.read_text() for path in stack.folder.glob("**/*.log"))

    assert "GET /b/…/cancel" in written
    assert [secret for secret in secrets if secret[7:] in written] == []
