"""The record of processing in the documents is the one that the declarations print."""

from pathlib import Path

from privacy.record import record_of_processing

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"


def test_the_document_has_the_record_that_the_command_prints() -> None:
    written = DOCUMENT.read_text().split("<!-- record -->\n\n")[1].split("\n<!-- /record -->")[0]

    assert written == record_of_processing()
