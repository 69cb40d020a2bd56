"""Each message of the catalogue has described variables, and drafts that can be saved unchanged."""

from pathlib import Path

import pytest

from bookings.messages import variables
from bookings.messages.catalogue import TYPES, draft, message_type
from bookings.messages.kinds import MessageKind, PlannedKind
from bookings.messages.types import MessageType
from bookings.messages.variables import labels
from notifications.enums import Channel
from notifications.wording.template_language import parsed, variables_in

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "notifications"
# The first has no sender yet; the others go to users and are neither switched off nor reworded.
OTHERS = {
    "waitlist_offer_customer",
    "sign_in_guessed_staff",
    "sign_in_changed_staff",
    "sign_in_changed_customer",
    "sign_in_code_customer",
    "unusual_reading_staff",
    "change_proposed_staff",
    "change_decided_staff",
    "invitation_staff",
}
# From ``words_of``: always there, though perhaps empty.
ALWAYS = {
    *("appointment", "when", "day", "time", "service", "place", "address", "phone", "arrival", "preparation"),
    *variables._SUMS,
    *variables._MOMENTS,
    *variables._PLAIN,
}


def name(of: MessageType) -> str:
    return f"{of.kind}-{of.role}"


def test_each_kind_has_a_type_and_each_type_its_files() -> None:
    kinds = {each.kind for each in TYPES}
    folders = {path.name: {file.name for file in path.iterdir()} for path in FOLDER.iterdir() if path.is_dir()}

    assert kinds == {*MessageKind, *PlannedKind}
    assert {f"{each.kind}_{each.role}" for each in TYPES} == folders.keys() - OTHERS
    assert [name for name, files in folders.items() if not {"subject.txt", "body.txt", "body.html"} <= files] == []
    assert len({(each.kind, each.role) for each in TYPES}) == len(TYPES)


@pytest.mark.parametrize("of", TYPES, ids=name)
def test_variables_are_told_once_and_have_words(of: MessageType) -> None:
    names = [variable.name for variable in of.variables]

    assert len(names) == len(set(names))
    assert set(names) <= ALWAYS | {"count", "visits"}
    assert not of.link or of.link in names
    assert all(str(variable.description) and str(variable.sample) for variable in of.variables)


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("of", TYPES, ids=name)
def test_drafts_may_be_kept(of: MessageType, channel: Channel) -> None:
    known = {variable.name for variable in of.variables}
    begun = draft(of, channel)

    parsed(begun.subject, known)
    parsed(begun.body, known)
    assert bool(begun.subject) == (channel in {Channel.EMAIL, Channel.PUSH})
    assert not of.link or of.link in variables_in(begun.body)


def test_every_link_has_the_words_of_its_button() -> None:
    names = {variable.name for each in TYPES for variable in each.variables}

    assert {each for each in names if each.endswith("_url")} == set(labels())


def test_what_is_not_sent_is_unknown() -> None:
    assert message_type("confirmed", "customer") is TYPES[0]
    assert message_type("agenda", "customer") is None
    assert message_type("nothing", "staff") is None
