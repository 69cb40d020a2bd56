"""One to-do of the desk as text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Do:
    """A way to settle a to-do: a link, or a button that sends a POST. The first of a row is the most likely."""

    label: str
    url: str
    is_post: bool = False


@dataclass(frozen=True, slots=True)
class Hand:
    """One to-do. ``until`` is set where it expires or an answer is promised; ``late`` replaces it once the promised
    moment has passed. ``url`` leads to its booking if it has one.
    """

    icon_name: str
    title: str
    text: str
    sum: str
    since: str
    actions: tuple[Do, ...]
    name: str = ""
    about: str = ""
    url: str = ""
    until: str = ""
    late: str = ""
