"""People: users, who sign in, and customers, who have bookings."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import MD5, Cast, Left, Lower, Upper
from django.utils.translation import gettext_lazy as _

from accounts.enums import Reading, RecordKind
from accounts.fields import PhoneEndHashField, PhoneHashField
from core import clock
from core.fields import EncryptedTextField
from core.references import new_reference

TAG_LIMIT = 30
# Customers are sorted by this many characters of their name: longer values would not fit into an index.
SORTED_LENGTH = 60


def new_customer_reference() -> str:
    """Return a customer's reference in URLs. It cannot be guessed from another one."""
    return new_reference(10)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by e-mail. ``is_staff`` only opens Django's admin; business rights are staff.Access."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("may open the admin", default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="accounts_user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name


class Customer(models.Model):
    """A person who has bookings, with or without a user. Every agreed booking has a customer.

    ``reference`` names the record in URLs. ``email_normalised`` is the mailbox that this record owns. The owner is the
    customer who proved the mailbox, else the first guest who gave it. It is empty for a customer without e-mail, and
    for a guest who gave the address of another record. ``email_proven_at`` is when the customer acted from ``email``. A
    guest's booking never changes an existing customer.

    ``merged_into`` is the record that took over everything from this one, because both are the same person. This one
    keeps its contact, so that a booking with the old address or number finds the person, and its reference, which leads
    to the other record. The other one is not merged itself.

    ``search_text`` is the generated column for searches: name, e-mail and tags as ``openhours_folded`` writes them.
    ``accounts.customer_search`` reads it.
    """

    reference = models.CharField(
        max_length=12,
        unique=True,
        editable=False,
        default=new_customer_reference,
        # Lets the previous release write rows while a deployment is under way.
        db_default=Upper(Left(MD5(Cast(RandomUUID(), models.TextField())), 12)),
    )
    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="customer")
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    email_normalised = models.EmailField(unique=True, null=True, blank=True)
    email_proven_at = models.DateTimeField(null=True, blank=True)
    phone = EncryptedTextField(blank=True)
    phone_hash = PhoneHashField(of="phone")
    phone_end_hash = PhoneEndHashField(of="phone")
    language = models.CharField(max_length=10, default="en")
    notes = EncryptedTextField(blank=True)
    tags = ArrayField(
        models.CharField(max_length=TAG_LIMIT),
        default=list,
        db_default=Value([], ArrayField(models.CharField())),
        blank=True,
    )
    search_text = models.GeneratedField(
        expression=Func("name", "email", "tags", function="openhours_customer_text"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    is_blocked = models.BooleanField("may not book online", default=False)
    is_prepayment_exempt = models.BooleanField(
        "never asked to pay in advance",
        default=False,
        help_text=_(
            "On the website this counts in the browser in which the customer has opened their booking from one of our"
            " mails; anybody else could have typed the address. It always counts when staff book for them."
        ),
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="merged_records"
    )

    class Meta:
        ordering: ClassVar = ["name"]
        indexes: ClassVar = [
            models.Index(fields=["phone_hash"], condition=~Q(phone_hash=""), name="accounts_phone"),
            models.Index(fields=["phone_hash"], condition=models.Q(is_blocked=True), name="accounts_blocked_phone"),
            models.Index(Lower("email"), condition=~Q(email=""), name="accounts_customer_mailbox"),
            models.Index(Lower("email"), condition=Q(is_blocked=True), name="accounts_blocked_mailbox"),
            GinIndex(fields=["search_text"], opclasses=["gin_trgm_ops"], name="accounts_customer_search"),
            GinIndex(fields=["tags"], name="accounts_customer_tags"),
            models.Index(Left("search_text", SORTED_LENGTH), "id", name="accounts_customer_name"),
            models.Index(fields=["created_at", "id"], name="accounts_customer_added"),
            models.Index(fields=["phone_end_hash"], condition=~Q(phone_end_hash=""), name="accounts_phone_end"),
        ]

    def __str__(self) -> str:
        return self.name


class CustomerSession(models.Model):
    """A browser in which a customer is signed in. ``key_hash`` is the hash of the key in its cookie.

    ``proven_at`` is when the user last proved who they are in it, by a code, a passkey or the password.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="customer_sessions")
    key_hash = models.CharField(max_length=64, unique=True)
    ip = models.GenericIPAddressField()
    user_agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    proven_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.created_at:%Y-%m-%d}"


class SignInCode(models.Model):
    """A code that was sent to a mailbox. It counts once, and only in the browser that asked for it.

    Neither the code nor the address is stored: ``accounts.sign_in_code`` computes the code from ``seed`` and a key of
    the site. ``token_hash`` is the hash of the secret in the browser's cookie.
    """

    token_hash = models.CharField(max_length=64, unique=True)
    seed = models.CharField(max_length=64)
    wrong_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class CustomerTag(models.Model):
    """A tag that at least one customer has. ``Customer.tags`` holds the names."""

    name = models.CharField(max_length=TAG_LIMIT, unique=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class CustomerNote(models.Model):
    """A staff member's note about a customer, for all staff who see the customer. Its author may change it."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="staff_notes")
    text = EncryptedTextField()
    author = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.author_name}"


class CustomerEvent(models.Model):
    """A change that staff made to a customer's record: who, when, and the names of the fields, never their values."""

    class Kind(models.TextChoices):
        ADDED = "added"
        CONTACT = "contact"
        TRUST = "trust"
        MERGED = "merged"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    details = models.JSONField(default=dict, blank=True)
    # Free text of staff about a customer, so it is encrypted.
    reason = EncryptedTextField(blank=True)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.kind}"


class Consent(models.Model):
    """A consent given or withdrawn: its purpose, the exact text shown, when, and for which booking."""

    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="consents")
    subject_ref = models.CharField(max_length=40, help_text="What it was given for, e.g. booking:17.")
    purpose = models.CharField(max_length=40)
    text = models.TextField()
    text_version = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject_ref"], name="accounts_consent_subject")]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.subject_ref})"


class ChannelChoice(models.Model):
    """Whether a person wants messages by a channel (email, sms, whatsapp, push). Without a row they do.

    ``person_ref`` is customer:3 or staff:3.
    """

    person_ref = models.CharField(max_length=40)
    channel = models.CharField(max_length=10)
    is_on = models.BooleanField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person_ref", "channel"], name="accounts_channelchoice_once")
        ]

    def __str__(self) -> str:
        return f"{self.person_ref} {self.channel}: {'on' if self.is_on else 'off'}"


class QuietHours(models.Model):
    """When a person gets no messages that can wait: minutes from local midnight in their zone, end excluded.

    22:00 to 7:00 is 1320 to 420: an end before the start is on the next day.
    """

    person_ref = models.CharField(max_length=40, unique=True)
    start_minute = models.PositiveSmallIntegerField()
    end_minute = models.PositiveSmallIntegerField()
    time_zone = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "quiet hours"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(start_minute__lt=1440, end_minute__lt=1440), name="accounts_quiethours_of_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_ref} {self.start_minute}–{self.end_minute}"


class AccessLog(models.Model):
    """One reading of customers' data by a user. Database grants forbid the application to change and delete rows.

    A row names no customer: ``reference`` is that of a customer or a booking, empty for lists, whose ``count`` is the
    number of rows that were found or downloaded. ``address_hash`` is the pseudonym of the network address, so that the
    log tells whether two readings came from one place, and keeps nobody's whereabouts. ``roles`` are those held then.
    """

    LONGEST_REFERENCE, LONGEST_REQUEST_ID = 12, 40

    at = models.DateTimeField()
    # No index of its own: the index on user and instant serves.
    user = models.ForeignKey(User, null=True, blank=True, db_index=False, on_delete=models.SET_NULL, related_name="+")
    user_name = models.CharField(max_length=254)
    roles = models.CharField(max_length=100, blank=True)
    act = models.CharField(max_length=10, choices=Reading.choices)
    record = models.CharField(max_length=10, choices=RecordKind.choices)
    reference = models.CharField(max_length=LONGEST_REFERENCE, blank=True)
    count = models.PositiveIntegerField(null=True, blank=True)
    address_hash = models.CharField(max_length=64)
    request_id = models.CharField(max_length=LONGEST_REQUEST_ID)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["at", "id"], name="accounts_access_at"),
            models.Index(fields=["user", "at"], name="accounts_access_user"),
            models.Index(fields=["reference", "at"], condition=~Q(reference=""), name="accounts_access_record"),
        ]

    def __str__(self) -> str:
        return f"{self.user_name}: {self.act} {self.record} {self.reference}".rstrip()
