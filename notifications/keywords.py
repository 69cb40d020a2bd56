"""What a text from a customer asks of us. Pure. Only a message that is one known word means anything.

CANCEL is left out on purpose: it may mean the appointment. Where Twilio takes it for an opt-out, Twilio refuses the
next message, and we learn it from that.
"""

import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"


_WORDS = {
    Keyword.STOP: (
        *("stop", "stopall", "stop all", "unsubscribe", "optout", "opt out"),
        *("stopp", "abmelden", "abbestellen"),
        *("rezygnuj", "wypisz"),
        *("parar", "baja"),
        *("수신거부", "수신 거부"),
        *("стоп", "отписаться"),
    ),
    Keyword.START: (
        *("start", "unstop", "subscribe"),
        *("anmelden",),
        *("wznów",),
        *("alta",),
        *("수신동의", "수신 동의"),
        *("старт",),
    ),
}
_KEYWORDS = {unicodedata.normalize("NFKC", word): keyword for keyword, words in _WORDS.items() for word in words}


def keyword_in(text: str) -> Keyword | None:
    """Read a message whatever its case, spaces and signs; None when it says anything else."""
    letters = (character if character.isalnum() else " " for character in unicodedata.normalize("NFKC", text))
    return _KEYWORDS.get(" ".join("".join(letters).casefold().split()))
