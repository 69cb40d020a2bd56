"""The form of roles, with its sentences, and the forms around an invitation."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.sign_in import Try
from core.lines import one_line
from dashboard.team.presenter import ROLE_SENTENCES
from services.models import Location
from staff.enums import Role
from staff.models import StaffMember
from staff.team import Grant

EVERYWHERE = "all"
# These hold for the whole business: a role at one location would be a promise that nothing keeps.
_ONLY_EVERYWHERE = frozenset({Role.OWNER})


class RolesForm(forms.Form):
    """One group of boxes per role: everywhere, or at chosen locations."""

    def __init__(
        self,
        data: Any = None,
        *,
        places: Sequence[Location],
        profiles: Iterable[StaffMember],
        grants: Iterable[Grant] = (),
        profile_id: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        held = set(grants)
        for role in Role:
            here = [] if role in _ONLY_EVERYWHERE else [(str(place.pk), place.text("name")) for place in places]
            single = len(here) < 2 and (role, int(here[0][0]) if here else None) not in held
            choices = [(EVERYWHERE, _("Yes") if single else _("At all locations")), *([] if single else here)]
            self.fields[role.value] = forms.MultipleChoiceField(
                label=str(role.label).capitalize(),
                help_text=ROLE_SENTENCES[role],
                required=False,
                choices=choices,
                widget=forms.CheckboxSelectMultiple,
                initial=[EVERYWHERE if place is None else str(place) for held_role, place in held if held_role == role],
            )
        self.fields["staff_member"] = forms.TypedChoiceField(
            label=_("Therapist's profile"),
            help_text=_("Whose visits this person performs. Without one a therapist has no day of their own."),
            required=False,
            coerce=int,
            empty_value=None,
            choices=[("", _("none")), *((str(each.pk), each.name) for each in profiles)],
            initial=profile_id or "",
        )

    @property
    def role_fields(self) -> list[forms.BoundField]:
        return [self[role.value] for role in Role]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self.grants() and self.needs_a_role:
            raise ValidationError(_("Choose at least one role."))
        return cleaned

    needs_a_role = False

    def grants(self) -> list[Grant]:
        """Return the chosen roles. "At all locations" includes the single ones."""
        chosen = []
        for role in Role:
            values = self.cleaned_data.get(role.value, [])
            places = [None] if EVERYWHERE in values else [int(value) for value in values]
            chosen += [Grant(role, place) for place in places]
        return chosen


class InviteForm(RolesForm):
    """Whom to invite, and as what."""

    needs_a_role = True
    field_order = ("email", "name")

    email = forms.EmailField(label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(label=_("Name"), max_length=120, required=False, help_text=_("As colleagues read it."))

    def clean_name(self) -> str:
        return one_line(self.cleaned_data["name"])

    def __init__(self, *args: Any, may_open_admin: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if may_open_admin:
            self.fields["opens_admin"] = forms.BooleanField(
                label=_("May change all settings"),
                help_text=_("Services, people, prices and rules, in the settings of the site."),
                required=False,
            )


class AcceptForm(forms.Form):
    """A name and a new password for somebody who is new; the own password for somebody who has one."""

    name = forms.CharField(label=_("Your name"), max_length=120, help_text=_("As colleagues read it."))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least eight characters. Several words are good, and easy to keep."),
        error_messages={"required": _("Type a password first.")},
    )

    def __init__(self, *args: Any, user: User | None, email: str, tried: Try, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user, self._email, self._tried, self._now = user, email, tried, now
        self.is_known = user is not None and user.has_usable_password()
        if self.is_known:
            del self.fields["name"]
            self.fields["password"].label = _("Your password")
            self.fields["password"].help_text = _("You have a sign-in with this address already.")
            self.fields["password"].widget.attrs["autocomplete"] = "current-password"

    def clean_name(self) -> str:
        return one_line(self.cleaned_data["name"])

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not self.is_known:
            validate_password(password, self._user or User(email=self._email, name=self.cleaned_data.get("name", "")))
            return password
        assert self._user is not None  # noqa: S101 (for mypy)
        if not self._tried.is_allowed():
            raise ValidationError(_("Too many tries. Please wait a minute, then try again."), code="too_many")
        if not self._user.check_password(password):
            self._tried.count_failure(now=self._now)
            raise ValidationError(gettext("This is not your password."))
        return password
