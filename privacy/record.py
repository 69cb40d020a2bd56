"""The record of processing as Markdown (Art. 30 GDPR), written from the declarations of the apps."""

from core.personal_data import DataKind, Erasing, Held, declarations

_AFTER = {Erasing.DELETE: "deleted", Erasing.BLANK: "emptied", Erasing.KEEP: "stays"}


def record_of_processing() -> str:
    """Return one table for each class of data: what, why, where, what erasing does, and what stays why."""
    parts = []
    for kind in DataKind:
        rows = [_row(held) for held in declarations() if held.kind is kind]
        title = str(kind.label).capitalize()
        parts.append(
            "\n".join([f"### {title}", "", "| what | why | where | after erasing |", "|---|---|---|---|", *rows])
        )
    return "\n\n".join(parts) + "\n"


def _row(held: Held) -> str:
    where = f"`{held.model}`: {', '.join(held.columns)}"
    after = f"{_AFTER[held.erasing]}. {held.note}" if held.note else _AFTER[held.erasing]
    return f"| {held.what} | {held.why} | {where} | {after} |"
