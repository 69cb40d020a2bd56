"""What customers read of a service and its people before they choose: texts, lengths, prices, how it is held."""

import re
from html import unescape

import pytest
from django.test import Client

from services.models import Service
from staff.models import Qualification
from tests import journeys
from tests.factories import Studio
from tests.web.conftest import link, slot

pytestmark = pytest.mark.django_db


def text_of(client: Client, url: str) -> str:
    """The page as it is read, without tags."""
    html = client.get(url).content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def picker(studio: Studio) -> str:
    return f"/s/{studio.variant.service.slug}/"


def hold_on_picker(client: Client, studio: Studio, **fields: object) -> str:
    form = {"variant": studio.variant.pk, "slot": slot(studio, 10), "staff": "", "next": "picker", **fields}
    client.post(f"{picker(studio)}hold", form)
    return text_of(client, picker(studio))


def take_longer(studio: Studio) -> None:
    """Ana takes 70 minutes and €85 for what Marek does in 60 for €80."""
    own = Qualification.objects.get(staff_member=studio.staff[1], variant=studio.variant)
    own.work_minutes, own.price_minor = 70, 8500
    own.save()


def test_the_own_length_and_price_of_a_person_stand_on_the_chip(client: Client, studio: Studio) -> None:
    take_longer(studio)

    assert "70 min €85" in text_of(client, f"{picker(studio)}?with={studio.staff[1].slug}")
    assert "60 min €80" in text_of(client, f"{picker(studio)}?with={studio.staff[0].slug}")
    assert "60–70 min from €80" in text_of(client, picker(studio))
    assert "60–70 min from €80" in text_of(client, "/")


def test_the_held_bar_says_length_person_and_price(client: Client, studio: Studio) -> None:
    take_longer(studio)

    assert "70 min with Ana · €85" in hold_on_picker(client, studio, staff=studio.staff[1].pk)
    assert "60 min with Marek · €80" in hold_on_picker(client, studio, staff=studio.staff[0].pk)


def test_a_named_length_says_how_long_it_takes(client: Client, studio: Studio) -> None:
    studio.variant.name = "Full back"
    studio.variant.save()

    assert "Full back · 60 min €80" in text_of(client, picker(studio))
    assert "Full back · 60 min €80" in text_of(client, "/")


def test_the_picker_tells_of_the_service_and_of_the_chosen_person(client: Client, studio: Studio) -> None:
    Service.objects.update(description="Slow strokes with warm oil.")
    ana = studio.staff[1]
    ana.bio, ana.spoken_languages = "Fifteen years of massage.", "German, Portuguese"
    ana.save()

    chosen = text_of(client, f"{picker(studio)}?with={studio.staff[1].slug}")
    anyone = text_of(client, picker(studio))

    assert "About this service Slow strokes with warm oil." in chosen
    assert "About Ana Fifteen years of massage. Speaks German, Portuguese." in chosen
    assert "Slow strokes" in anyone
    assert "About Ana" not in anyone


def test_without_texts_there_is_nothing_to_unfold(client: Client, studio: Studio) -> None:
    assert "<details" not in client.get(picker(studio)).content.decode().split("<main")[1]


def test_the_only_person_is_told_of_without_being_chosen(client: Client, studio: Studio) -> None:
    marek, ana = studio.staff
    marek.delete()
    ana.bio = "Fifteen years of massage."
    ana.save()

    assert "About Ana Fifteen years" in text_of(client, picker(studio))


def test_preparation_is_read_before_booking_and_before_paying(client: Client, studio: Studio) -> None:
    held = journeys.hold(studio, 10)

    page = text_of(client, f"/h/{held.token}/")

    assert page.index("Before your visit Eat lightly.") < page.index("By booking you accept")


def test_an_online_visit_says_online_instead_of_a_place(client: Client, studio: Studio) -> None:
    Service.objects.update(delivery="online")

    landing = text_of(client, "/")
    bar = hold_on_picker(client, studio, staff=studio.staff[1].pk)
    details = text_of(client, f"/h/{journeys.hold(studio, 14).token}/").split("Imprint")[0]

    assert "online" in landing
    assert "60 min with Ana, online · €80" in bar
    assert ", online" in details
    assert "in Kreuzberg" not in f"{landing}{bar}{details}"


def test_an_online_visit_is_not_paid_at_the_visit(client: Client, studio: Studio) -> None:
    Service.objects.update(delivery="online")

    details = text_of(client, f"/h/{journeys.hold(studio, 14).token}/")
    confirmed = text_of(client, link(journeys.booked(studio, 10)))

    for page in (text_of(client, "/"), details, confirmed):
        assert "at the visit" not in page
    assert "To pay later €80.00" in details
    assert "To pay later €80.00" in confirmed


def test_the_page_of_an_online_visit_has_the_link_that_its_person_has_now(client: Client, studio: Studio) -> None:
    Service.objects.update(delivery="online")
    booking = journeys.booked(studio, 10, staff_member_id=studio.staff[1].pk)
    assert "We send you the link." in text_of(client, link(booking, "confirmed"))

    studio.staff[1].meeting_url = "https://meet.example/ana"
    studio.staff[1].save()

    for page in ("", "confirmed"):
        html = client.get(link(booking, page)).content.decode()
        assert "https://meet.example/ana" in html
        assert "We send you the link." not in html
