"""Invitations, roles and sign-ins that end: who works here, and that somebody always owns the business."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.second_factor import PASSKEY
from core.models import OutboxMessage
from notifications.models import Notification
from notifications.operations import send_due
from services.models import Business
from staff.enums import Role
from staff.models import Access, Invitation, StaffMember, TeamEvent
from staff.team import (
    LASTS,
    Grant,
    InvitationOver,
    Invited,
    LastOwner,
    TeamChanged,
    accept_invitation,
    grants_of,
    invitation_of,
    invitation_url,
    invite,
    read_grants,
    set_roles,
    stored,
    switch_off,
    switch_on,
    withdraw_invitation,
)
from tests import factories
from tests.factories import NOW, Studio
from tests.money import deliver

pytestmark = pytest.mark.django_db
MARA = "mara@studio.example"


@pytest.fixture
def studio(db: None) -> Studio:
    return factories.studio()


@pytest.fixture
def olivia(studio: Studio) -> User:
    return factories.desk_user(Role.OWNER)


def invited(by: User | None, *grants: Grant, **more: Any) -> Invitation:
    return invite(Invited(MARA, "Mara", list(grants) or [Grant(Role.AUDITOR)], **more), by=by, now=NOW)


def accepted(invitation: Invitation, **more: Any) -> User:
    values = {"name": "Mara Lind", "password": "four quiet green chairs", "now": NOW} | more
    return accept_invitation(invitation_id=invitation.pk, **values)


def token_of(invitation: Invitation) -> str:
    return invitation_url(invitation).rstrip("/").rpartition("/")[2]


def test_an_invited_person_becomes_a_user_with_these_roles(olivia: User, studio: Studio) -> None:
    profile = studio.staff[0]
    grants = [Grant(Role.MANAGER, studio.location.pk), Grant(Role.THERAPIST)]

    user = accepted(invited(olivia, *grants, staff_member_id=profile.pk))

    assert (user.email, user.name, user.check_password("four quiet green chairs")) == (MARA, "Mara Lind", True)
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert grants_of(user) == set(grants)
    assert StaffMember.objects.get(user=user) == profile
    kinds = list(TeamEvent.objects.order_by("id").values_list("kind", "actor_name"))
    assert kinds == [("invited", str(olivia)), ("accepted", "Mara Lind")]


def test_an_invitation_works_once(olivia: User) -> None:
    invitation = invited(olivia)
    accepted(invitation)

    with pytest.raises(InvitationOver):
        accepted(invitation)


def test_an_invitation_ends_with_its_time_and_when_it_is_withdrawn(olivia: User) -> None:
    with pytest.raises(InvitationOver):
        accepted(invited(olivia), now=NOW + LASTS)

    invitation = invited(olivia)
    assert withdraw_invitation(invitation_id=invitation.pk, by=olivia, now=NOW)
    assert not withdraw_invitation(invitation_id=invitation.pk, by=olivia, now=NOW)
    with pytest.raises(InvitationOver):
        accepted(invitation)


def test_a_new_invitation_replaces_the_one_before(olivia: User) -> None:
    first, second = invited(olivia, Grant(Role.OWNER)), invited(olivia)

    with pytest.raises(InvitationOver):
        accepted(first)
    assert grants_of(accepted(second)) == {Grant(Role.AUDITOR)}


def test_a_colleague_keeps_password_and_roles_and_gets_the_new_ones(olivia: User, studio: Studio) -> None:
    mara = factories.desk_user(Role.FRONT_DESK, studio.location, email=MARA)
    mara.set_password("her own words of old")
    mara.save()

    assert accepted(invited(olivia, Grant(Role.FRONT_DESK, studio.location.pk), Grant(Role.AUDITOR))) == mara

    mara.refresh_from_db()
    assert mara.check_password("her own words of old")
    assert grants_of(mara) == {Grant(Role.FRONT_DESK, studio.location.pk), Grant(Role.AUDITOR)}


def test_a_location_that_is_gone_gives_no_role(olivia: User, studio: Studio) -> None:
    place = factories.location(name="Alfama")
    invitation = invited(olivia, Grant(Role.MANAGER, place.pk), Grant(Role.AUDITOR))
    place.delete()

    assert grants_of(accepted(invitation)) == {Grant(Role.AUDITOR)}


def test_only_the_genuine_link_finds_the_invitation(olivia: User) -> None:
    invitation, other = invited(olivia), invited(olivia)
    token = token_of(invitation)

    assert invitation_of(f"{token}.") == invitation
    forged = [token[:-1] + ("A" if token[-1] != "A" else "B"), f"{other.pk}-{token.partition('-')[2]}", "", "-", "1"]
    assert [invitation_of(each) for each in [*forged, f"{10**12}-x", f"²-{token}"]] == [None] * 7
    assert invitation.nonce not in token


def test_the_mail_leads_to_the_page_and_nothing_is_sent_once_it_is_withdrawn(olivia: User, mailoutbox: Any) -> None:
    invitation = invited(olivia)
    assert token_of(invitation) not in str(list(OutboxMessage.objects.values()))

    deliver(now=NOW)
    send_due(now=NOW, limit=10)

    (mail,) = mailoutbox
    assert mail.to == [MARA]
    assert invitation_url(invitation) in mail.body
    assert token_of(invitation) not in str(list(Notification.objects.values()))

    withdrawn = invited(olivia)
    withdraw_invitation(invitation_id=withdrawn.pk, by=olivia, now=NOW)
    deliver(now=NOW)
    send_due(now=NOW, limit=10)
    assert len(mailoutbox) == 1


def test_roles_are_replaced_and_noted(olivia: User, studio: Studio) -> None:
    mara = factories.desk_user(Role.FRONT_DESK, studio.location, email=MARA)
    seen = [Grant(Role.FRONT_DESK, studio.location.pk)]
    change = {
        "user_id": mara.pk,
        "wanted": [Grant(Role.MANAGER)],
        "profile_id": None,
        "seen_profile_id": None,
        "by": olivia,
        "now": NOW,
    }

    assert set_roles(seen=seen, **change)
    assert not set_roles(seen=seen, **change)

    assert grants_of(mara) == {Grant(Role.MANAGER)}
    event = TeamEvent.objects.get()
    assert (event.kind, event.user, event.actor, read_grants(event.grants)) == (
        "roles",
        mara,
        olivia,
        [Grant(Role.MANAGER)],
    )


def test_roles_that_changed_meanwhile_are_not_overwritten(olivia: User) -> None:
    mara = factories.desk_user(Role.FRONT_DESK, email=MARA)

    with pytest.raises(TeamChanged):
        set_roles(
            user_id=mara.pk,
            wanted=[Grant(Role.MANAGER)],
            seen=[],
            profile_id=None,
            seen_profile_id=None,
            by=olivia,
            now=NOW,
        )
    assert grants_of(mara) == {Grant(Role.FRONT_DESK)}


def test_the_last_owner_stays(olivia: User) -> None:
    gone = factories.desk_user(Role.OWNER, email="gone@studio.example")
    switch_off(user_id=gone.pk, by=olivia, now=NOW)
    own = {"user_id": olivia.pk, "by": olivia, "now": NOW}

    with pytest.raises(LastOwner):
        switch_off(**own)
    with pytest.raises(LastOwner):
        set_roles(wanted=[Grant(Role.MANAGER)], seen=[Grant(Role.OWNER)], profile_id=None, seen_profile_id=None, **own)

    switch_on(user_id=gone.pk, by=olivia, now=NOW)
    assert set_roles(
        wanted=[Grant(Role.MANAGER)], seen=[Grant(Role.OWNER)], profile_id=None, seen_profile_id=None, **own
    )


def test_a_profile_of_another_user_stays_with_them(olivia: User, studio: Studio) -> None:
    ana = studio.staff[0]
    theirs = factories.desk_user(Role.THERAPIST, email="ana@studio.example")
    StaffMember.objects.filter(pk=ana.pk).update(user=theirs)

    user = accepted(invited(olivia, Grant(Role.THERAPIST), staff_member_id=ana.pk))

    assert StaffMember.objects.get(pk=ana.pk).user == theirs
    assert not StaffMember.objects.filter(user=user).exists()


def test_the_profile_alone_is_checked_and_noted_as_well(olivia: User, studio: Studio) -> None:
    mara = factories.desk_user(Role.THERAPIST, email=MARA)
    grants, profile = [Grant(Role.THERAPIST)], studio.staff[0]
    change = {"user_id": mara.pk, "wanted": grants, "seen": grants, "by": olivia, "now": NOW}

    with pytest.raises(TeamChanged):
        set_roles(profile_id=profile.pk, seen_profile_id=profile.pk, **change)
    assert set_roles(profile_id=profile.pk, seen_profile_id=None, **change)

    assert StaffMember.objects.get(user=mara) == profile
    assert TeamEvent.objects.count() == 1


@pytest.mark.parametrize("way", ["off", "roles", "admin", "deleted"])
def test_who_is_no_owner_any_more_has_invited_nobody(olivia: User, way: str) -> None:
    oscar = factories.desk_user(Role.OWNER, email="oscar@studio.example")
    invitation = invited(oscar, Grant(Role.OWNER))
    match way:
        case "off":
            switch_off(user_id=oscar.pk, by=olivia, now=NOW)
        case "roles":
            grants = {"wanted": [Grant(Role.MANAGER)], "seen": [Grant(Role.OWNER)]}
            set_roles(user_id=oscar.pk, profile_id=None, seen_profile_id=None, by=olivia, now=NOW, **grants)
        case "admin":
            Access.objects.filter(user=oscar).delete()
        case "deleted":
            oscar.delete()

    with pytest.raises(InvitationOver):
        accepted(invitation)


def test_only_a_superuser_can_open_the_settings_to_others(olivia: User) -> None:
    with pytest.raises(InvitationOver):
        accepted(invited(olivia, Grant(Role.OWNER), opens_admin=True))


def test_a_sign_in_that_is_switched_off_ends_links_and_comes_back(olivia: User, studio: Studio) -> None:
    ana = studio.staff[0]
    user = accepted(invited(olivia, Grant(Role.THERAPIST), staff_member_id=ana.pk))

    assert switch_off(user_id=user.pk, by=olivia, now=NOW)
    assert not switch_off(user_id=user.pk, by=olivia, now=NOW)
    assert not StaffMember.objects.select_related("user").get(pk=ana.pk).works_here
    assert OutboxMessage.objects.filter(topic="staff.left").count() == 1

    assert switch_on(user_id=user.pk, by=olivia, now=NOW)
    assert StaffMember.objects.select_related("user").get(pk=ana.pk).works_here


def test_the_first_owner_is_made_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("owner", MARA, "--name", "Mara")

    link = capsys.readouterr().out.split()[-1]
    invitation = invitation_of(link.rstrip("/").rpartition("/")[2])
    assert invitation is not None
    user = accepted(invitation, now=invitation.created_at + timedelta(hours=23))
    assert (user.is_staff, user.is_superuser, grants_of(user)) == (True, True, {Grant(Role.OWNER)})
    assert Business.objects.count() == 1
    assert not OutboxMessage.objects.filter(topic="staff.invited").exists()


def test_the_command_wants_an_address() -> None:
    with pytest.raises(CommandError, match="not an e-mail address"):
        call_command("owner", "olivia")
    assert not Access.objects.exists()


@given(st.sets(st.builds(Grant, st.sampled_from(Role), st.none() | st.integers(1, 9))))
def test_stored_grants_are_read_as_they_were(grants: set[Grant]) -> None:
    assert set(read_grants(stored(grants))) == grants
    assert stored(grants) == stored(reversed(list(grants)))


def test_a_role_of_another_version_is_left_out() -> None:
    assert read_grants([["owner", None], ["pilot", 3]]) == [Grant(Role.OWNER)]


def passkey_of(user: User) -> Authenticator:
    return Authenticator.objects.create(user=user, type=PASSKEY, data={})


@pytest.mark.parametrize("is_invited", [True, False])
def test_passkeys_that_a_customer_added_open_no_desk(studio: Studio, olivia: User, is_invited: bool) -> None:
    customer = User.objects.create_user(MARA)
    passkey_of(customer)
    of_owner = passkey_of(olivia)

    if is_invited:
        accepted(invited(olivia))
    else:
        given = {
            "wanted": [Grant(Role.AUDITOR)],
            "seen": [],
            "profile_id": None,
            "seen_profile_id": None,
            "by": olivia,
            "now": NOW,
        }
        set_roles(user_id=customer.pk, **given)

    assert Authenticator.objects.get() == of_owner
    added_at_the_desk = passkey_of(customer)
    given = {
        "wanted": [],
        "seen": grants_of(customer),
        "profile_id": None,
        "seen_profile_id": None,
        "by": olivia,
        "now": NOW,
    }
    set_roles(user_id=customer.pk, **given)
    assert Authenticator.objects.filter(pk=added_at_the_desk.pk).exists()
