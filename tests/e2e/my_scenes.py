"""Scenes of customers who sign in."""

import re

from playwright.sync_api import expect

from tests.e2e.scenes import Stage, scene
from tests.e2e.steps import Person, somebody


def sign_in(stage: Stage, person: Person) -> None:
    """Sign in by the code that comes by e-mail."""
    asks_for_code(stage, person)
    [mail] = stage.site.mailbox.wait_for(person.email)
    found = re.search(r"(\d{3}) (\d{3})", mail.text)
    assert found
    # Six digits go on by themselves.
    stage.page.get_by_label("Six digits from the e-mail").fill("".join(found.groups()))
    stage.page.wait_for_url(re.compile(r"/my/$"))


def asks_for_code(stage: Stage, person: Person) -> None:
    stage.page.goto("/my/")
    stage.page.get_by_label("Your e-mail address").fill(person.email)
    stage.page.get_by_role("button", name="Send me a code").click()
    expect(stage.page.get_by_role("heading", level=1)).to_have_text("Check your e-mail")


@scene
def my_sign_in(stage: Stage) -> None:
    stage.page.goto("/my/sign-in/")


@scene
def my_code_wrong(stage: Stage) -> None:
    asks_for_code(stage, somebody())
    stage.page.get_by_label("Six digits from the e-mail").fill("12345")
    stage.page.get_by_role("button", name="Go on").click()
    expect(stage.page.get_by_role("alert")).to_contain_text("not right")


@scene
def my_security(stage: Stage) -> None:
    sign_in(stage, somebody())
    stage.page.goto("/my/security/")


@scene
def my_password_wrong(stage: Stage) -> None:
    stage.page.goto("/my/sign-in/password/")
    stage.page.get_by_label("Your e-mail address").fill(somebody().email)
    stage.page.get_by_label("Password").fill("three quiet otters")
    stage.page.get_by_role("button", name="Sign in").click()
    expect(stage.page.locator("main")).to_contain_text("do not belong together")


@scene
def my_passkey_sign_in(stage: Stage) -> None:
    stage.page.goto("/my/sign-in/passkey/")


@scene
def my_passkey_new(stage: Stage) -> None:
    sign_in(stage, somebody())
    stage.page.goto("/my/security/passkey/")


@scene
def my_password_short(stage: Stage) -> None:
    sign_in(stage, somebody())
    stage.page.goto("/my/security/password/")
    stage.page.get_by_label("New password", exact=True).fill("short")
    stage.page.get_by_label("New password once more").fill("short")
    stage.page.get_by_role("button", name="Save the password").click()
    expect(stage.page.locator(".field-error").first).to_be_visible()


@scene
def my_confirm(stage: Stage) -> None:
    sign_in(stage, somebody())
    stage.page.goto("/my/security/confirm/")
