"""Which parameters Stripe takes, read from the types of its own library, so that what we refuse is what Stripe refuses.

Pure: parameters in, an error or nothing out.
"""

import functools
import importlib
import re
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from stripe._request_options import RequestOptions

Parameters = dict[str, Any]

ENDPOINTS = {
    "POST customers": "customer_create",
    "GET customers/{id}": "customer_retrieve",
    "POST customers/{id}": "customer_update",
    "POST payment_intents": "payment_intent_create",
    "GET payment_intents": "payment_intent_list",
    "GET payment_intents/{id}": "payment_intent_retrieve",
    "POST payment_intents/{id}": "payment_intent_update",
    "POST payment_intents/{id}/confirm": "payment_intent_confirm",
    "POST payment_intents/{id}/cancel": "payment_intent_cancel",
    "POST setup_intents": "setup_intent_create",
    "GET setup_intents": "setup_intent_list",
    "GET setup_intents/{id}": "setup_intent_retrieve",
    "POST setup_intents/{id}/confirm": "setup_intent_confirm",
    "POST setup_intents/{id}/cancel": "setup_intent_cancel",
    "POST refunds": "refund_create",
    "GET refunds": "refund_list",
    "GET refunds/{id}": "refund_retrieve",
    "GET payment_methods": "payment_method_list",
    "GET payment_methods/{id}": "payment_method_retrieve",
    "POST payment_methods/{id}/attach": "payment_method_attach",
    "POST payment_methods/{id}/detach": "payment_method_detach",
    "GET charges": "charge_list",
    "GET charges/{id}": "charge_retrieve",
    "GET disputes": "dispute_list",
    "GET disputes/{id}": "dispute_retrieve",
    "GET events": "event_list",
    "GET events/{id}": "event_retrieve",
}
"""Endpoint and the module of the library that types its parameters."""

KNOWN_CURRENCIES = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf "
    "clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr "
    "ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr "
    "mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd "
    "shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw "
)
CURRENCIES = frozenset(KNOWN_CURRENCIES.split())
MAXIMUM = 99_999_999
MINIMUMS = {
    "aed": 200, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "mxn": 1000, "myr": 200, "nok": 300,
    "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
MINIMUM = 50
# Two decimals are sent for the first, three for the second, and Stripe charges neither to the last of them.
WHOLE_HUNDREDS, WHOLE_TENS = ("isk", "ugx"), ("bhd", "jod", "kwd", "omr", "tnd")


class Refused(Exception):
    """An answer that is not 200. `is_stored` says whether a retry with the same key is told it again."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        is_stored: bool = True,
        code: str = "",
        param: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_stored = is_stored
        named = {"code": code, "param": param}
        self.error: dict[str, Any] = {"type": kind, "message": message, **(more or {})}
        self.error |= {name: value for name, value in named.items() if value}


def bad(message: str, param: str = "", code: str = "") -> Refused:
    """A refusal before anything began, which Stripe does not keep under the idempotency key."""
    return Refused(400, message, is_stored=False, param=param, code=code)


def check(endpoint: str, given: Parameters) -> Parameters:
    """The parameters with numbers and booleans typed.

    :raises Refused: when Stripe would not take them.
    """
    types, required = _types(ENDPOINTS[endpoint])
    for name in sorted(required):
        if name not in given:
            raise bad(f"Missing required param: {name}.", name, "parameter_missing")
    typed = {name: _typed(value, types.get(name), name) for name, value in given.items()}
    _check_words(typed)
    return typed


def check_amount(amount: int, currency: str) -> None:
    """
    :raises Refused: for a currency Stripe does not know and an amount it does not charge.
    """
    if currency not in CURRENCIES:
        raise bad(f"Invalid currency: {currency}. Stripe knows {', '.join(sorted(CURRENCIES))}", "currency")
    if amount < MINIMUMS.get(currency, MINIMUM):
        raise bad("Amount must be no less than the smallest charge in this currency.", "amount", "amount_too_small")
    if amount > MAXIMUM:
        raise bad("Amount must be no more than 99999999.", "amount", "amount_too_large")
    unit = 100 if currency in WHOLE_HUNDREDS else 10 if currency in WHOLE_TENS else 1
    if amount % unit:
        message = f"Invalid integer: {amount}. In {currency} it has to be divisible by {unit}."
        raise bad(message, "amount", "parameter_invalid_integer")


def tree(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """What a form says with names like `a[b][0]`: dictionaries, and lists where every name is a number or empty."""
    whole: Parameters = {}
    for name, value in pairs:
        first, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name) or [name]
        place, key = whole, first
        for part in rest:
            inner = place.setdefault(key, {})
            if not isinstance(inner, dict):
                raise bad(f"Invalid request: {name} is given twice.", name)
            place, key = inner, part or str(len(inner))
        place[key] = value
    return {key: _with_lists(value) for key, value in whole.items()}


def _check_words(given: Parameters) -> None:
    """Lengths and characters that are refused although the types allow them."""
    metadata = given.get("metadata") or {}
    if len(metadata) > 50 or any(len(key) > 40 or len(str(value)) > 500 for key, value in metadata.items()):
        raise bad("Metadata may have 50 keys of up to 40 characters and values of up to 500.", "metadata")
    suffix = given.get("statement_descriptor_suffix") or ""
    if set(suffix) & set("<>\\'\"*") or len(suffix) > 22:
        param = "statement_descriptor_suffix"
        raise bad(f"The {param} may have 22 characters and none of < > \\ ' \" *.", param)
    if "statement_descriptor" in given:
        param = "statement_descriptor"
        raise bad(f"`{param}` is not supported for cards; use `{param}_suffix`.", param)
    if len(given.get("description") or "") > 1000:
        raise bad("The description may have 1000 characters.", "description")


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(each) for key, each in value.items()}
    return list(inner.values()) if inner and all(key.isdecimal() for key in inner) else inner


@functools.cache
def _types(module_name: str) -> tuple[dict[str, Any], frozenset[str]]:
    """The type of each parameter, and those that have to be there."""
    module = importlib.import_module(f"stripe.params._{module_name}_params")
    return _fields(getattr(module, "".join(map(str.title, module_name.split("_"))) + "Params"))


@functools.cache
def _fields(shape: type) -> tuple[dict[str, Any], frozenset[str]]:
    own = {k: v for k, v in shape.__annotations__.items() if k not in RequestOptions.__annotations__}
    module = importlib.import_module(shape.__module__)
    required = frozenset(shape.__required_keys__ & own.keys())  # type: ignore[attr-defined]
    return typing.get_type_hints(type("Own", (), {"__annotations__": own}), vars(module)), required


def _typed(value: Any, kind: Any, name: str) -> Any:
    if kind is None:
        raise bad(f"Received unknown parameter: {name}", name, "parameter_unknown")
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union or getattr(origin, "__name__", "") == "UnionType":
        return _one_of(value, arguments, name)
    if origin is typing.Literal or _is_literal(kind):
        if value not in arguments:
            raise bad(f"Invalid {name}: must be one of {', '.join(filter(None, arguments))}", name)
        return value
    if origin is list:
        if not isinstance(value, list):
            raise bad("Invalid array", name)
        return [_typed(each, arguments[0], f"{name}[{number}]") for number, each in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise bad("Invalid object", name)
        return value
    if typing.is_typeddict(kind) or hasattr(kind, "__required_keys__"):
        return _object(value, kind, name)
    return _plain(value, kind, name)


def _is_literal(kind: Any) -> bool:
    return getattr(typing.get_origin(kind), "__name__", "") == "Literal"


def _one_of(value: Any, kinds: tuple[Any, ...], name: str) -> Any:
    """`Literal[...] | str` is an enumeration that may grow in later versions; this version takes what is named."""
    named = [kind for kind in kinds if _is_literal(kind) and typing.get_args(kind) != ("",)]
    if value == "" and any("" in typing.get_args(kind) for kind in kinds if _is_literal(kind)):
        return value
    fitting = [kind for kind in kinds if not (_is_literal(kind) and kind not in named)]
    if named:
        fitting = [kind for kind in fitting if kind is not str]
    problem = None
    for kind in fitting:
        try:
            return _typed(value, kind, name)
        except Refused as refused:
            problem = problem or refused
    raise problem or bad(f"Invalid {name}", name)


def _object(value: Any, kind: Any, name: str) -> Parameters:
    if not isinstance(value, dict):
        raise bad("Invalid object", name)
    types, required = _fields(kind)
    if missing := sorted(required - value.keys()):
        raise bad(f"Missing required param: {name}[{missing[0]}].", f"{name}[{missing[0]}]", "parameter_missing")
    return {key: _typed(each, types.get(key), f"{name}[{key}]") for key, each in value.items()}


def _plain(value: Any, kind: Any, name: str) -> Any:
    if isinstance(value, dict | list):
        if kind in (str, int, float, bool):
            raise bad(f"Invalid {kind.__name__}", name)
        return value
    if kind is bool:
        if value not in ("true", "false"):
            raise bad(f"Invalid boolean: {value}", name)
        return value == "true"
    if kind is int:
        if not re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
            raise bad(f"Invalid integer: {value}", name, "parameter_invalid_integer")
        return int(value)
    if kind is str and value == "":
        raise bad(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset.",
            name,
            "parameter_invalid_empty",
        )
    return value
