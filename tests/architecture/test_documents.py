"""What documents name exists: files, documents, invariants. A stranger can follow every reference."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
APPS = (
    "config|core|accounts|services|staff|payments|notifications|bookings|privacy|storefront|dashboard|demo|devservers"
)
A_PATH = re.compile(rf"`((?:{APPS}|templates|static|tests|docs|docker|benchmarks)/[\w./-]+)`")
A_DOCUMENT = re.compile(r"[\w/.-]*\b[\w-]+\.md\b")


def named_paths(text: str) -> Iterator[str]:
    for path in A_PATH.findall(text):
        if "<" not in path and "…" not in path:
            yield path


def source_files() -> Iterator[Path]:
    kinds = ("*.py", "*.html", "*.toml", "*.css")
    listed = subprocess.run(["git", "ls-files", "-z", *kinds], cwd=ROOT, capture_output=True, check=True)
    for path in (ROOT / name for name in listed.stdout.decode().split("\0") if name):
        if path.is_file() and path != Path(__file__):
            yield path


def test_every_file_that_a_document_names_exists() -> None:
    missing = {
        (document.name, path)
        for document in DOCUMENTS
        for path in named_paths(document.read_text())
        if not (ROOT / path).exists()
    }

    assert missing == set()


def test_code_names_no_document_that_is_not_here() -> None:
    known = {path.name for path in ROOT.glob("*.md")} | {path.name for path in (ROOT / "docs").rglob("*.md")}
    missing = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in source_files()
        for name in A_DOCUMENT.findall(path.read_text())
        if name.rpartition("/")[2] not in known
    }

    assert missing == set()


def test_every_invariant_that_is_checked_is_explained() -> None:
    explained = set(re.findall(r"^\| (I\d+) \|", (ROOT / "docs" / "invariants.md").read_text(), re.MULTILINE))
    doctors = [path for path in ROOT.glob("*/**/*.py") if "doctor" in path.relative_to(ROOT).as_posix()]
    checked = {code for path in doctors for code in re.findall(r'Check\("(I\d+)"', path.read_text())}

    assert explained == checked


def test_the_search_finds_what_it_looks_for() -> None:
    assert list(named_paths("see `core/clock.py` and `templates/notifications/<kind>/`")) == ["core/clock.py"]
    assert A_DOCUMENT.findall("as policies.md 4 says") == ["policies.md"]
