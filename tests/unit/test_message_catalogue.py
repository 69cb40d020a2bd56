"""Every message of the catalogue has variables with words, and drafts that may be kept as they are."""

from pathlib import Path

import pytest

from bookings.messages import variables
from bookings.messages.kinds import MessageKind
from bookings.messages.reminders import PlannedKind
from bookings.messages.types import CATALOGUE, MessageType, draft, message_type
from bookings.messages.variables import labels, variables_of
from notifications.enums import Channel
from notifications.wording.template_language import parsed, variables_in

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "notifications"
# The first has no sender yet; the second warns the owners and is neither switched off nor reworded.
OTHERS = {"waitlist_offer_customer", "sign_in_guessed_staff"}
# From ``words_of``: always there, though perhaps empty.
ALWAYS = {
    *("appointment", "when", "day", "time", "service", "place", "address", "phone", "arrival", "preparation"),
    *variables._SUMS,
    *variables._MOMENTS,
    *variables._PLAIN,
}


def name(of: MessageType) -> str:
    return f"{of.kind}-{of.role}"


def test_what_is_sent_is_in_the_catalogue_and_has_its_files() -> None:
    kinds = {each.kind for each in CATALOGUE}
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()}

    assert kinds == {*MessageKind, *PlannedKind, "agenda"}
    assert {f"{each.kind}_{each.role}" for each in CATALOGUE} == folders - OTHERS
    assert len({(each.kind, each.role) for each in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("of", CATALOGUE, ids=name)
def test_variables_are_told_once_and_have_words(of: MessageType) -> None:
    names = [variable.name for variable in variables_of(of.kind, of.role)]

    assert len(names) == len(set(names))
    assert set(names) <= ALWAYS | {"count", "visits"}
    assert not of.link or of.link in names
    assert all(str(variable.description) and str(variable.sample) for variable in variables_of(of.kind, of.role))


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("of", CATALOGUE, ids=name)
def test_drafts_may_be_kept(of: MessageType, channel: Channel) -> None:
    known = {variable.name for variable in variables_of(of.kind, of.role)}
    begun = draft(of, channel)

    parsed(begun.subject, known)
    parsed(begun.body, known)
    assert bool(begun.subject) == (channel in {Channel.EMAIL, Channel.PUSH})
    assert not of.link or of.link in variables_in(begun.body)


def test_every_link_has_the_words_of_its_button() -> None:
    names = {variable.name for each in CATALOGUE for variable in variables_of(each.kind, each.role)}

    assert {each for each in names if each.endswith("_url")} == set(labels())


def test_what_is_not_sent_is_unknown() -> None:
    assert message_type("confirmed", "customer") is CATALOGUE[0]
    assert message_type("agenda", "customer") is None
    assert message_type("nothing", "staff") is None
