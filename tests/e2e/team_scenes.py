"""The pages of the team, each with the way that leads to it. Importing this adds them to ``scenes.SCENES``."""

from itertools import count

from playwright.sync_api import Page, expect

from tests.e2e.desk_scenes import sign_in
from tests.e2e.scenes import Stage, scene
from tests.stack import Stack

_numbers = count(1)


def invite(page: Page) -> str:
    """As the signed-in owner, invite somebody to read and to stand at the desk; return the address."""
    email = f"newcomer{next(_numbers)}@linden.example"
    page.goto("/desk/team/invite")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Name").fill("Maximiliane Friederike von Hohenlohe-Ast")
    page.get_by_role("group", name="Front desk").get_by_label("At all locations").check()
    page.get_by_role("group", name="Auditor").get_by_label("At all locations").check()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text(f"on its way to {email}")).to_be_visible()
    return email


def link_of(site: Stack, email: str) -> str:
    """The link of an invitation, as the mail has it."""
    code = f"from staff.team import *; print(invitation_url(Invitation.objects.filter(email={email!r}).latest('pk')))"
    return site.manage("shell", "-c", code).stdout.split()[-1]


@scene
def desk_team(stage: Stage) -> None:
    sign_in(stage.page)
    invite(stage.page)


@scene
def desk_team_invite(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/team/invite")
    stage.page.get_by_role("button", name="Send the invitation").click()
    expect(
        stage.page.get_by_text("This field is required").or_(stage.page.locator(".field-error")).first
    ).to_be_visible()


@scene
def desk_team_member(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/team/")
    stage.page.get_by_role("link", name="Change").last.click()


@scene
def desk_team_off(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/team/")
    stage.page.get_by_role("link", name="Change").last.click()
    stage.page.get_by_role("link", name="Switch off the sign-in").click()


@scene
def desk_invitation(stage: Stage) -> None:
    sign_in(stage.page)
    email = invite(stage.page)
    stage.page.goto(link_of(stage.site, email))


@scene
def desk_invitation_over(stage: Stage) -> None:
    sign_in(stage.page)
    email = invite(stage.page)
    link = link_of(stage.site, email)
    stage.page.get_by_role("button", name=f"Withdraw {email}").click()
    stage.page.goto(link)
