"""Codes of apps and recovery codes: each counts once, whatever else runs; staff always keep a second factor."""

import json
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from accounts.second_factor import (
    CodeAnswer,
    LastSecondFactor,
    SecondFactorExists,
    add_app,
    add_passkey,
    check_code,
    code_at,
    new_recovery_codes,
    remove_second_factor,
    reset_second_factor,
    second_factors_of,
    step_at,
)
from tests.factories import NOW
from tests.signing_in import SECRET

pytestmark = pytest.mark.django_db
RIGHT, WRONG, OVER, USED = CodeAnswer.RIGHT, CodeAnswer.WRONG, CodeAnswer.OVER, CodeAnswer.USED


@pytest.fixture
def leyla(db: None) -> User:
    user = User.objects.create_user("leyla@studio.example")
    TOTP.activate(user, SECRET)
    return user


def code(steps: int = 0) -> str:
    return code_at(SECRET, step_at(NOW) + steps)


@pytest.mark.parametrize(
    ("steps", "answer"),
    [(-11, WRONG), (-10, OVER), (-2, OVER), (-1, RIGHT), (0, RIGHT), (1, RIGHT), (2, WRONG)],
)
def test_a_code_counts_for_half_a_minute_before_and_after(leyla: User, steps: int, answer: CodeAnswer) -> None:
    assert check_code(leyla, code(steps), now=NOW) is answer


def test_a_code_counts_once(leyla: User) -> None:
    assert [check_code(leyla, code(), now=NOW) for _ in range(2)] == [RIGHT, USED]


def test_no_code_before_a_used_one_counts(leyla: User) -> None:
    check_code(leyla, code(1), now=NOW)

    assert [check_code(leyla, code(steps), now=NOW) for steps in (-1, 0, 1)] == [USED] * 3
    assert check_code(leyla, code(2), now=NOW + timedelta(seconds=30)) is RIGHT


@pytest.mark.parametrize("typed", ["", "12345", "１２３４５６", "é" * 6, "' or 1=1", "0" * 20])
def test_anything_else_is_wrong(leyla: User, typed: str) -> None:
    assert check_code(leyla, typed, now=NOW) is WRONG


def test_blanks_in_a_code_do_not_matter(leyla: User) -> None:
    assert check_code(leyla, f" {code()[:3]} {code()[3:]} ", now=NOW) is RIGHT


def test_a_recovery_code_counts_once(leyla: User) -> None:
    codes = new_recovery_codes(leyla, now=NOW)

    assert len(set(codes)) == 10
    assert [check_code(leyla, codes[3], now=NOW) for _ in range(2)] == [RIGHT, WRONG]
    assert second_factors_of(leyla).codes_left == 9


def test_new_recovery_codes_end_the_old_ones(leyla: User) -> None:
    [old, *_] = new_recovery_codes(leyla, now=NOW)
    new_recovery_codes(leyla, now=NOW)

    assert check_code(leyla, old, now=NOW) is WRONG


def test_the_first_second_factor_brings_recovery_codes_and_its_code_counts_no_more() -> None:
    user = User.objects.create_user("new@studio.example")

    answer, codes = add_app(user, SECRET, code(), is_first=True, now=NOW)

    assert (answer, len(codes)) == (RIGHT, 10)
    assert check_code(user, code(), now=NOW) is USED


def test_an_app_is_not_stored_without_its_code() -> None:
    user = User.objects.create_user("new@studio.example")

    assert add_app(user, SECRET, "000000", is_first=True, now=NOW) == (WRONG, ())
    assert not second_factors_of(user)


def test_whoever_knows_only_the_password_adds_no_second_one(leyla: User) -> None:
    with pytest.raises(SecondFactorExists):
        add_app(leyla, SECRET, code(), is_first=True, now=NOW)
    with pytest.raises(SecondFactorExists):
        add_passkey(leyla, {}, "Key", is_first=True, now=NOW)

    assert Authenticator.objects.count() == 1


def test_a_new_app_replaces_the_old_one(leyla: User) -> None:
    new_recovery_codes(leyla, now=NOW)
    other = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    _, codes = add_app(leyla, other, code_at(other, step_at(NOW)), is_first=False, now=NOW)

    assert codes == ()
    assert check_code(leyla, code(1), now=NOW) is WRONG
    assert check_code(leyla, code_at(other, step_at(NOW) + 1), now=NOW) is RIGHT


def test_the_last_second_factor_stays(leyla: User) -> None:
    new_recovery_codes(leyla, now=NOW)
    app = Authenticator.objects.get(type="totp")

    with pytest.raises(LastSecondFactor):
        remove_second_factor(leyla, app.pk, now=NOW)
    add_passkey(leyla, {}, "Key", is_first=False, now=NOW)
    remove_second_factor(leyla, app.pk, now=NOW)

    assert {row.type for row in Authenticator.objects.all()} == {"webauthn", "recovery_codes"}


def test_nobody_removes_the_second_factor_of_somebody_else(leyla: User) -> None:
    other = User.objects.create_user("other@studio.example")
    TOTP.activate(other, SECRET)
    add_passkey(other, {}, "Key", is_first=False, now=NOW)

    remove_second_factor(other, Authenticator.objects.get(user=leyla).pk, now=NOW)

    assert second_factors_of(leyla)


def test_after_a_reset_nothing_is_left(leyla: User) -> None:
    [recovery, *_] = new_recovery_codes(leyla, now=NOW)
    reset_second_factor(leyla, now=NOW)

    assert check_code(leyla, recovery, now=NOW) is WRONG
    assert not second_factors_of(leyla)


def test_a_command_lets_in_who_has_lost_everything(leyla: User) -> None:
    call_command("reset_second_step", "LEYLA@studio.example")

    assert not second_factors_of(leyla)
    with pytest.raises(CommandError):
        call_command("reset_second_step", "nobody@studio.example")


def test_no_secret_is_readable_in_the_database(leyla: User) -> None:
    codes = new_recovery_codes(leyla, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("select data::text from mfa_authenticator order by id")
        stored = [json.loads(text) for (text,) in cursor.fetchall()]

    assert set(stored[0]) == {"secret"}
    assert set(stored[1]) == {"seed", "used_mask"}
    for secret in (SECRET, *codes):
        assert secret not in json.dumps(stored)
    # Fernet tokens of the keys in FIELD_KEYS.
    assert all(each.startswith("gAAAA") for each in (stored[0]["secret"], stored[1]["seed"]))
