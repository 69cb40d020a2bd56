"""Pictures of services and staff: sent to the admin, shown on the public pages, served by the application."""

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import User
from staff.models import StaffMember
from tests.factories import Studio
from tests.signing_in import sign_in_staff
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db


def photo() -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.new("RGB", (1600, 800), "teal").save(file, "JPEG")
    return SimpleUploadedFile("Ana on holiday.jpg", file.getvalue(), content_type="image/jpeg")


def test_a_photo_sent_to_the_admin_is_shown_and_served(client: Client, studio: Studio) -> None:
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", "pass"))
    ana = StaffMember.objects.get(name="Ana Silva")
    address = reverse("admin:staff_staffmember_change", args=[ana.pk])
    fields = typed(client.get(address).content.decode(), "staffmember_form")

    saved = client.post(address, {**fields, "picture": photo()})

    assert saved.status_code == 302, saved.content.decode()
    ana.refresh_from_db()
    served = Client().get(ana.picture.url)
    assert ana.picture.url in Client().get(reverse("landing")).content.decode()
    assert Image.open(io.BytesIO(served.getvalue())).size == (1200, 600)
    assert "holiday" not in ana.picture.name


def test_pictures_are_served_for_a_year_and_as_nothing_else(client: Client, db: None) -> None:
    default_storage.save("services/massage.webp", ContentFile(b"RIFF"))

    response = client.get("/media/services/massage.webp")

    assert response.status_code == 200
    assert response["Content-Type"] == "image/webp"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == "inline"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "address",
    [
        "/media/services/none.webp",
        "/media/services/page.html",
        "/media/services/drawing.svg",
        "/media/other/massage.webp",
        "/media/services/",
        "/media/services/..%2fother%2fmassage.webp",
        "/media/services/../other/massage.webp",
        "/media/services/%2e%2e/other/massage.webp",
        "/media/services/..%5cother%5cmassage.webp",
        "/media/services/massage.webp%0a",
        "/media/services//massage.webp",
        "/media/staff/" + "a" * 300 + ".webp",
    ],
)
def test_nothing_else_is_served(client: Client, db: None, address: str) -> None:
    for name in ("services/page.html", "services/drawing.svg", "other/massage.webp", "services/real.webp"):
        default_storage.save(name, ContentFile(b"RIFF"))

    response = client.get(address)

    assert response.status_code == 404
    assert "immutable" not in response.get("Cache-Control", "")
