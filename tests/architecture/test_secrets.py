"""No key that opens anything is in the repository: patterns of the usual services, over every file that git knows."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRETS = re.compile(
    rb"(?:sk|rk)_live_[0-9A-Za-z]{16,}"
    rb"|whsec_[0-9A-Za-z+/]{32,}"
    rb"|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[0-9A-Za-z+/=]{16,}"
    rb"|(?<![0-9A-Z])A(?:KIA|SIA)[0-9A-Z]{16}(?![0-9A-Z])"
    rb"|gh[pousr]_[0-9A-Za-z]{36}"
    rb"|SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"
    rb"|xox[abprs]-[0-9A-Za-z-]{20,}"
)


def test_no_file_holds_a_secret() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    files = [ROOT / name.decode() for name in listed.split(b"\0") if name]

    found = [
        f"{path.relative_to(ROOT)}: {match[0][:12]!r}…"
        for path in files
        if path.is_file()
        for match in SECRETS.finditer(path.read_bytes())
    ]

    assert len(files) > 500
    assert found == []


@pytest.mark.parametrize(
    "parts",
    [
        ("sk_", "live_", "x" * 24),
        ("AKI", "A", "ABCDEFGH12345678"),
        ("-----BEGIN ", "RSA PRIVATE KEY-----\n", "M" * 64),
        ("gh", "p_", "a" * 36),
    ],
)
def test_scan_finds_a_secret_that_is_there(parts: tuple[str, ...]) -> None:
    assert SECRETS.search("".join(parts).encode())
