"""One suite for Stripe and for its stand-in, so that the stand-in stays honest.

By itself it runs against the stand-in. With STRIPE_CONTRACT_KEY (a secret key of Stripe's test mode, `sk_test_…`) it
runs against Stripe, without the tests that need the stand-in's `control`.
"""

import os

import pytest
import stripe as library

from devservers import stripe
from tests import servers

KEY = os.environ.get("STRIPE_CONTRACT_KEY", "")


def pytest_collection_modifyitems(config, items):
    if not KEY:
        return
    ours = [item for item in items if "tests/contract" in item.path.as_posix() and "control" in item.fixturenames]
    config.hook.pytest_deselected(items=ours)
    items[:] = [item for item in items if item not in ours]


@pytest.fixture(scope="session")
def stand_in():
    server = stripe.start(servers.new_folder("contract") / "stripe", "http://localhost:1")
    yield server
    server.stop()


@pytest.fixture
def control(stand_in):
    stand_in.control.reset()
    return stand_in.control


@pytest.fixture
def client(request):
    """Stripe's own library, without retries of its own, so that each answer is seen."""
    if KEY:
        if not KEY.startswith("sk_test_"):
            raise ValueError("STRIPE_CONTRACT_KEY has to be a key of the test mode")
        return library.StripeClient(KEY, max_network_retries=0)
    server = request.getfixturevalue("stand_in")
    return library.StripeClient(server.secret_key, base_addresses={"api": server.url}, max_network_retries=0)
