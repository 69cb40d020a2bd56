"""Admin of users, customers and consents. Consents are evidence, so they are read-only."""

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.contact.mailboxes import normalised_email
from accounts.models import Consent, Customer, User
from accounts.second_factor import reset_second_factor
from core import clock
from core.admin import ModelAdmin, ReadOnlyAdmin, bookings_ahead, display, listed, sentence
from core.asking import AskFirst, AskingAdmin
from core.outbox import publish

if TYPE_CHECKING:
    _CustomerForm = forms.ModelForm[Customer]
    _UserAdmin = DjangoUserAdmin[User]
else:
    _CustomerForm = forms.ModelForm
    _UserAdmin = DjangoUserAdmin

# Business rights are roles (staff.Access). Groups would be a second, unused way to grant them.
admin.site.unregister(Group)
# Second factors and sessions are nobody's to read or edit; their users have pages at the desk.
admin.site.unregister([EmailAddress, Authenticator, UserSession])
# The environment names the provider of OpenID Connect, and nothing of its accounts is stored.
admin.site.unregister([SocialAccount, SocialApp, SocialToken])


class NewUserForm(UserCreationForm):  # type: ignore[misc] # unfold has no types
    class Meta:
        model = User
        fields = ("email",)


class UserForm(UserChangeForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(_UserAdmin, AskingAdmin):  # type: ignore[misc] # Django names fewer arguments
    """Users who sign in. Users cannot delete themselves, so at least one user remains.

    If a staff member's user is switched off, the links to their bookings ahead stop working. The page therefore shows
    these bookings first.
    """

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    actions = ("reset_second_step",)
    fieldsets = (
        (None, {"fields": ["email", "name", "password"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    )
    add_fieldsets = ((None, {"fields": ["email", "name", "password1", "password2"]}),)
    labels = {"is_superuser": _("may do everything in the admin")}
    help_texts = {
        "is_active": _("Off: cannot sign in any more. Better than deleting, because the history keeps the name."),
        "is_superuser": _(
            "Without it the admin stays empty for this person. What people do in the business is a role."
        ),
    }

    @admin.action(description=_("Reset the second step"), permissions=["change"])
    def reset_second_step(self, request: HttpRequest, queryset: Any) -> None:
        """Let colleagues in who have lost their phone: they set up a new second step after their password."""
        for user in queryset.exclude(pk=request.user.pk):
            reset_second_factor(user, now=clock.now())
            self.log_change(request, user, gettext("Second step reset."))
            self.message_user(
                request, gettext("%(user)s sets up a new second step at the next sign-in.") % {"user": user}
            )
        if queryset.filter(pk=request.user.pk).exists():
            self.message_user(request, gettext("Your own second step stays as it is."), messages.WARNING)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and obj != request.user

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        person = getattr(obj, "staff_member", None)
        if not change or person is None or obj.is_active or "is_active" not in form.changed_data:
            return
        ahead = bookings_ahead([person])
        if ahead and not self.insists(request):
            intro = _("Nothing is saved yet. These visits ahead are with this person (%(count)d in all):")
            insist = _(
                "Save anyway. Their links end now and their calendar is updated. I take care of the appointments."
            )
            raise AskFirst(sentence(str(intro) % {"count": len(ahead)}, listed(ahead)), str(insist))
        left_at = clock.now()
        publish("staff.left", f"user:{obj.pk}:{left_at.isoformat()}", {"user_id": obj.pk}, now=left_at)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, perms, protected = super().get_deleted_objects(objs, request)
        if any(each.pk == request.user.pk for each in objs):
            protected = [_("This is your own sign-in.")]
        return deleted, counts, perms, protected


class CustomerForm(_CustomerForm):
    """A customer. Two customers cannot have the same mailbox, in whichever form its address is written."""

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if "email" not in self.changed_data:
            return email
        self.instance.email_normalised = normalised_email(email) if email else None
        others = Customer.objects.exclude(pk=self.instance.pk)
        if email and others.filter(email_normalised=self.instance.email_normalised).exists():
            raise forms.ValidationError(_("Another customer has this address."))
        return email


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    form = CustomerForm
    list_display = ("name", "email", "phone", "is_proven", "created_at")
    list_filter = (("email_proven_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "email")
    search_help_text = _("Name or e-mail. Phone numbers are encrypted and cannot be searched.")
    autocomplete_fields = ("user",)
    fields = ("name", "email", "phone", "language", "notes", "user", "email_proven_at", "created_at")
    readonly_fields = ("email_proven_at", "created_at")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "language":
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=settings.LANGUAGES)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        elif "email" in form.changed_data:
            # The customer has not acted from the new mailbox yet.
            obj.email_proven_at = None
        super().save_model(request, obj, form, change)

    @display(description=_("address proven"), boolean=True, ordering="email_proven_at")
    def is_proven(self, obj: Customer) -> bool:
        return obj.email_proven_at is not None


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ("customer", "purpose", "subject_ref", "given_at", "withdrawn_at")
    list_filter = ("purpose",)
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "subject_ref")
    ordering = ("-given_at",)
