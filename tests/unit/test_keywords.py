"""Keywords in customers' text messages."""

import pytest

from notifications.reports.keywords import Keyword, Reading, reading

STOP = """
STOP | Stop. | stop | STOPALL | STOP ALL | Unsubscribe | OPTOUT | OPT-OUT | opt out | END | QUIT | REVOKE | End. | ARRET
ARRÊT | Arrêt svp | PARE | Salir | Parar | Baja | Stopp | Abmelden | “STOP” | STOP 🛑 | ＳＴＯＰ | S\u200bTOP
stop please | please stop | Stop it | Nein danke, stop | Please remove me | Please stop texting me | No thanks, stop.
stop, thank you | Don't text me! | Bitte stop | s'il vous plaît arrêtez | 수신거부 | стоп | Отписаться
"""
PERSON = """
I can't come today | Ja | OK | 👍 | please stop by at 5 | Can we stop at 3? | The end is fine | end please
Is there parking? | Please cancel my appointment | don't stop | I want to quit smoking
HELP | START again please | no | thanks | stop smoking course
"""
SIGNED = [
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Get Outlook for Android",
    "--\nJana",
]


def listed(text: str) -> list[str]:
    return [each.strip() for line in text.strip().splitlines() for each in line.split(" | ")]


@pytest.mark.parametrize("text", listed(STOP))
def test_a_wish_for_no_more_texts_is_obeyed(text: str) -> None:
    assert reading(text) == Reading(Keyword.STOP, needs_person=False)


@pytest.mark.parametrize("text", ["CANCEL", "Cancel.", "cancelar", "Annuler", "stornieren"])
def test_what_may_mean_the_visit_ends_texts_and_is_read_by_a_person(text: str) -> None:
    assert reading(text) == Reading(Keyword.STOP, needs_person=True)


@pytest.mark.parametrize("text", ["START", "start.", "UNSTOP", "Wznów", "Alta", "수신동의"])
def test_a_wish_for_texts_again_is_obeyed(text: str) -> None:
    assert reading(text) == Reading(Keyword.START, needs_person=False)


@pytest.mark.parametrize("text", [*listed(PERSON), "", "   "])
def test_anything_else_is_read_by_a_person(text: str) -> None:
    assert reading(text) == Reading(None, needs_person=True)


@pytest.mark.parametrize("signature", SIGNED)
@pytest.mark.parametrize("word", ["Stop", "END", "Please stop"])
def test_a_stop_above_a_signature_is_obeyed(word: str, signature: str) -> None:
    assert reading(f"{word}\n\n{signature}") == Reading(Keyword.STOP, needs_person=False)


def test_a_stop_above_other_words_is_obeyed_and_read() -> None:
    assert reading("Stop\nI can't come today, sorry") == Reading(Keyword.STOP, needs_person=True)
    assert reading("End\nof the street?") == Reading(None, needs_person=True)
    assert reading("Start\n\nSent from my iPhone") == Reading(None, needs_person=True)
