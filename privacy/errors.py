"""What can go wrong with a case or an erasure, each with a sentence for staff."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Refused


class CannotErase(Refused):
    """``data["found"]`` maps each hindrance to the ids of its bookings."""

    code = "cannot_erase"

    def __init__(self, **data: object) -> None:
        super().__init__(
            _("Not yet: something about this customer is unfinished. Settle what is listed, then try again."), **data
        )


class CaseClosed(Conflict):
    code = "case_closed"

    def __init__(self) -> None:
        super().__init__(_("Someone else has answered this case meanwhile. Nothing was changed."))


class CaseOpen(Conflict):
    """``data["reference"]`` is the reference of the open case."""

    code = "case_open"

    def __init__(self, **data: object) -> None:
        super().__init__(_("This customer has an open case of this kind already."), **data)


class SettingsChanged(Conflict):
    code = "retention_changed"

    def __init__(self) -> None:
        super().__init__(
            _("Someone else changed these settings meanwhile. Nothing was saved; check them and try again.")
        )


class LimitsChanged(Conflict):
    code = "reading_limits_changed"

    def __init__(self) -> None:
        super().__init__(_("Someone else changed these limits meanwhile. Nothing was saved; check them and try again."))


class Erased(Refused):
    code = "erased"

    def __init__(self) -> None:
        super().__init__(_("This customer is erased. There is nothing left to give out or to erase."))
