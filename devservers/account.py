"""Which account PostgreSQL runs as, and where it may keep its files.

PostgreSQL refuses to run as root. When we are root it runs as `nobody`, an account every system has, so no account
is added. That account must be able to reach its files, and we never open folders that somebody closed: if a parent
of the wanted folder is closed, the files live under /var/tmp and the wanted folder becomes a link to them.
"""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

OPEN_PLACE = Path("/var/tmp")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """The account for PostgreSQL, or None to use the present one."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def can_reach(path: Path, account: Account | None) -> bool:
    """Whether the account may pass through every parent of `path`."""
    return account is None or all(_may_enter(parent.stat(), account) for parent in path.resolve().parents)


def home_for(folder: Path, account: Account | None) -> Path:
    """Create `folder` or, where the account could not reach it, a stand-in that `folder` links to."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if can_reach(folder, account):
        if folder.is_symlink():
            # The folder was closed at an earlier start and is open now; the data stays where it is.
            return folder.resolve()
        folder.mkdir(exist_ok=True)
        if account:
            folder.chmod(0o711)
        return folder
    home = stand_in(folder)
    if not folder.is_symlink() and home.exists():
        # Left by a folder of the same name that was deleted since.
        _refuse_foreign(home)
        shutil.rmtree(home)
    home.mkdir(mode=0o755, exist_ok=True)
    home.chmod(0o755)
    _refuse_foreign(home)
    if not folder.is_symlink():
        folder.symlink_to(home)
    return home


def remove_home(folder: Path) -> None:
    """Delete the folder and what it links to."""
    if folder.is_symlink():
        home = folder.resolve()
        folder.unlink()
        if home.exists() and home == stand_in(folder):
            _refuse_foreign(home)
            shutil.rmtree(home)
    elif folder.exists():
        shutil.rmtree(folder)


def stand_in(folder: Path) -> Path:
    """Where the files of a folder behind closed parents live."""
    place = folder.parent.resolve() / folder.name
    return OPEN_PLACE / f"openhours-{hashlib.sha256(str(place).encode()).hexdigest()[:16]}"


def _may_enter(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _refuse_foreign(home: Path) -> None:
    """Everybody may write to /var/tmp, so a folder there counts as ours only if it is."""
    status = home.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{home} belongs to somebody else; please look at it and remove it")
