"""Two owners who take each other's role or sign-in at the same moment, and an invitation that is accepted twice."""

from functools import partial

import pytest

from accounts.models import User
from staff.enums import Role
from staff.models import Access
from staff.team import (
    Grant,
    InvitationOver,
    Invited,
    LastOwner,
    accept_invitation,
    invite,
    set_roles,
    switch_off,
)
from tests import factories
from tests.concurrency.racing import deadlock_count, race, rounds
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@rounds(short=5, full=50)
def test_two_owners_who_act_against_each_other_leave_one(rounds: int) -> None:
    before = deadlock_count()

    for _ in range(rounds):
        Access.objects.all().delete()
        olivia, oscar = factories.desk_user(Role.OWNER), factories.desk_user(Role.OWNER)
        demoted = {
            "wanted": [Grant(Role.MANAGER)],
            "seen": [Grant(Role.OWNER)],
            "profile_id": None,
            "seen_profile_id": None,
        }
        outcomes = race(
            [
                partial(switch_off, user_id=oscar.pk, by=olivia, now=NOW),
                partial(set_roles, user_id=olivia.pk, by=oscar, now=NOW, **demoted),
            ]
        )

        assert sorted(type(each) for each in outcomes if each is not True) == [LastOwner], outcomes
        assert Access.objects.filter(role=Role.OWNER, user__is_active=True).count() == 1
    assert deadlock_count() == before


@rounds(short=5, full=50)
def test_an_invitation_makes_one_user(rounds: int) -> None:
    for number in range(rounds):
        email = f"new{number}@studio.example"
        invitation = invite(Invited(email, "", [Grant(Role.AUDITOR)]), by=None, now=NOW)
        accept = partial(
            accept_invitation, invitation_id=invitation.pk, name="New", password="four quiet chairs", now=NOW
        )
        outcomes = race([accept] * 4)

        assert [type(each) for each in outcomes if not isinstance(each, User)] == [InvitationOver] * 3
        assert User.objects.filter(email=email).count() == 1
