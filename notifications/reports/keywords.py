"""Reads the keyword in a customer's text message.

Pure: text in; a keyword, and whether staff have to read the text, out.

STOP words are those of Twilio and of 47 CFR 64.1200(a)(10), their translations, and plain wishes such as "please remove
me". START counts only as the whole message.

CANCEL may mean the visit. It ends texts, as Twilio and the law require, and the front desk reads it as well. A text
never cancels a booking.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True)
class Reading:
    """``needs_person``: the text says, or may say, more than its keyword, so staff have to read it."""

    keyword: Keyword | None
    needs_person: bool


# Each means STOP, also with polite words around it.
_STOP = (
    "stop, stopall, stop all, unsubscribe, optout, opt out, revoke, remove me, opt me out, unsubscribe me, "
    "stop texting, stop texting me, stop messaging me, stop sms, stop messages, stop texts, stop it, "
    "do not text me, don t text me, no more texts, no more messages, "
    "stopp, abmelden, abbestellen, keine sms mehr, keine nachrichten mehr, "
    "arret, arreter, arretez, desabonner, desinscrire, "
    "parar, pare, baja, salir, detener, cancelar suscripcion, "
    "basta, disiscrivi, "
    "rezygnuj, wypisz, "
    "수신거부, 수신 거부, "
    "стоп, отписаться"
)
# Each means STOP only as the whole message.
_STOP_ALONE = "end, quit, fin, fim, fine, ende"
# Each ends texts, and may mean the visit.
_CANCEL = "cancel, cancelar, annuler, stornieren, absagen, annulla"
_START = "start, unstop, subscribe, anmelden, wznow, alta, 수신동의, 수신 동의, старт"
_POLITE = (
    "please, pls, plz, thanks, thank, you, no, now, hi, hello, bitte, danke, nein, hallo, jetzt, por, favor, gracias, "
    "hola, s, il, vous, te, plait, svp, merci, bonjour, non, per, favore, grazie, prosze, dziekuje, obrigado, obrigada"
)
# Signatures that phones add to a message.
_SIGNATURE = re.compile(
    r"--|sent (?:from|with|by) |get outlook |gesendet |von meinem |envoye |enviado |inviato |wyslano ", re.IGNORECASE
)

_HIDDEN = frozenset({"Mn", "Cf"})


def reading(text: str) -> Reading:
    """Read a text regardless of case, accents, spaces and punctuation. A stop word alone on the first line counts."""
    words = _plain(text)
    if words in _WORDS_OF[Keyword.START]:
        return Reading(Keyword.START, needs_person=False)
    if words in _MAY_MEAN_THE_VISIT:
        return Reading(Keyword.STOP, needs_person=True)
    if words in _ALONE or _is_stop(words):
        return Reading(Keyword.STOP, needs_person=False)
    first, _, rest = text.strip().partition("\n")
    if rest.strip() and (_is_stop(_plain(first)) or (_plain(first) in _ALONE and _is_signature(rest))):
        return Reading(Keyword.STOP, needs_person=not _is_signature(rest))
    return Reading(None, needs_person=True)


def _is_stop(words: str) -> bool:
    kept = words.split()
    while kept and kept[0] in _FILLERS and " ".join(kept) not in _WORDS_OF[Keyword.STOP]:
        kept = kept[1:]
    while kept and kept[-1] in _FILLERS and " ".join(kept) not in _WORDS_OF[Keyword.STOP]:
        kept = kept[:-1]
    return " ".join(kept) in _WORDS_OF[Keyword.STOP]


def _is_signature(rest: str) -> bool:
    return bool(_SIGNATURE.match(_without_accents(rest.strip())))


def _plain(text: str) -> str:
    letters = (character if character.isalnum() else " " for character in _without_accents(text))
    return " ".join("".join(letters).casefold().split())


def _without_accents(text: str) -> str:
    """Remove accents and invisible characters. Korean syllables, which decomposition splits, are composed again."""
    apart = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L"))
    return unicodedata.normalize("NFC", "".join(each for each in apart if unicodedata.category(each) not in _HIDDEN))


def _words(listed: str) -> frozenset[str]:
    return frozenset(_plain(each) for each in listed.split(","))


_WORDS_OF = {Keyword.STOP: _words(_STOP), Keyword.START: _words(_START)}
_ALONE, _MAY_MEAN_THE_VISIT, _FILLERS = _words(_STOP_ALONE), _words(_CANCEL), _words(_POLITE)
