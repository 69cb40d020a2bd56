"""The file of the stand-in for Stripe survives a stop in the middle of writing."""

import pickle
from pathlib import Path

import pytest

from devservers.stripe_upstream import WholeFile, prepare


def test_a_stop_in_the_middle_of_writing_leaves_the_file_before(tmp_path: Path) -> None:
    own, new = tmp_path / "store.pickle", tmp_path / "store.new"
    own.write_bytes(pickle.dumps("before"))

    with pytest.raises(KeyboardInterrupt), WholeFile(own, new.open("wb")) as file:
        file.write(b"half")
        raise KeyboardInterrupt

    assert pickle.loads(own.read_bytes()) == "before"


def test_what_is_written_whole_takes_the_place(tmp_path: Path) -> None:
    own = tmp_path / "store.pickle"

    with WholeFile(own, (tmp_path / "store.new").open("wb")) as file:
        pickle.dump("after", file)

    assert pickle.loads(own.read_bytes()) == "after"


def test_an_unreadable_file_is_put_aside_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "store.pickle"
    own.write_bytes(pickle.dumps(list(range(1000)))[:-40])

    prepare(own)

    assert not own.exists()
    assert "starts empty" in capsys.readouterr().err


def test_a_readable_file_and_none_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "store.pickle"
    prepare(own)
    own.write_bytes(pickle.dumps("kept"))
    prepare(own)

    assert own.exists()
    assert capsys.readouterr().err == ""
