"""HTML pages are compressed for browsers that can read it; other answers and small ones are left alone."""

import gzip

import pytest
from django.test import Client

from tests.factories import Studio

PAGE = "/s/{}/"


@pytest.fixture
def path(studio: Studio) -> str:
    return PAGE.format(studio.variant.service.slug)


def test_a_page_is_compressed_for_browsers_that_read_gzip(client: Client, path: str) -> None:
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "br, gzip"})

    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 2
    assert gzip.decompress(packed.content).startswith(b"<!doctype html>")
    assert "Content-Encoding" not in plain
    assert "Accept-Encoding" in plain["Vary"]
    assert "Accept-Encoding" in packed["Vary"]


def test_the_length_of_a_page_tells_nothing_exact(client: Client, path: str) -> None:
    lengths = {len(client.get(path, headers={"Accept-Encoding": "gzip"}).content) for _ in range(6)}

    assert len(lengths) > 1


@pytest.mark.parametrize("address", ["/health/ready", "/sw.js", "/no-such-page.txt?x"])
def test_other_answers_are_no_pages(client: Client, studio: Studio, address: str) -> None:
    answer = client.get(address, headers={"Accept-Encoding": "gzip"})

    assert answer.get("Content-Encoding", "") == ("gzip" if answer["Content-Type"].startswith("text/html") else "")
