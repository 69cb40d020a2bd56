"""Therapists, users and customers of Linden Studio. Data only; hours are local times of the location."""

from dataclasses import dataclass, field

from demo.studio import BERLIN, LISBON
from staff.enums import Role


@dataclass(frozen=True)
class HoursData:
    """Working hours on some weekdays (Monday is 0) at one location; ``week`` is 0 or 1 for every other week."""

    place: str
    weekdays: tuple[int, ...]
    intervals: tuple[tuple[str, str], ...]
    week: int | None = None


@dataclass(frozen=True)
class TherapistData:
    slug: str
    name: str
    short_name: str
    bio: str
    hours: tuple[HoursData, ...]
    # service slug -> own values by position of the variant: (price_minor, work_minutes); None is the service's value
    performs: dict[str, dict[int, tuple[int | None, int | None]]]
    # Percentage of the time that is booked.
    load: int = 65
    daily_limit: int | None = None
    meeting_url: str = ""
    bio_de: str = ""


@dataclass(frozen=True)
class SignInData:
    role: Role
    email: str
    name: str
    place: str = ""
    therapist: str = ""
    # May open the admin with all permissions. Every user has a role at the desk.
    is_admin: bool = field(default=False)


def _plain(*slugs: str) -> dict[str, dict[int, tuple[int | None, int | None]]]:
    return {slug: {} for slug in slugs}


THERAPISTS = (
    TherapistData(
        "ana",
        "Ana Lopes",
        "Ana",
        "Sports therapist for twelve years. Firm hands, few words.",
        (HoursData(BERLIN, (0, 1, 2, 3, 4), (("09:00", "13:00"), ("14:00", "18:00"))),),
        {
            "deep-tissue-massage": {1: (12000, None)},
            **_plain("hot-stone-massage", "prenatal-massage", "massage-at-your-home"),
        },
        load=75,
        bio_de="Seit zwölf Jahren Sporttherapeutin. Kräftige Hände, wenig Worte.",
    ),
    TherapistData(
        "marek",
        "Marek Nowak",
        "Marek",
        "Came from competitive rowing. Knows backs.",
        (
            HoursData(BERLIN, (0, 1, 2, 3), (("10:00", "14:00"), ("15:00", "19:00"))),
            HoursData(BERLIN, (4,), (("16:00", "20:00"), ("20:30", "24:30"))),
        ),
        _plain("deep-tissue-massage", "swedish-massage"),
    ),
    TherapistData(
        "greta",
        "Greta Hoffmann",
        "Greta",
        "Cosmetician and laser specialist. Explains every product.",
        (HoursData(BERLIN, (1, 2, 3, 4, 5), (("08:30", "12:30"), ("13:00", "16:30"))),),
        _plain("signature-facial", "lymphatic-face-drainage", "swedish-massage", "laser-hair-removal"),
        load=70,
        bio_de="Kosmetikerin und Laserfachkraft. Erklärt jedes Produkt.",
    ),
    TherapistData(
        "seoyeon",
        "김서연",
        "김서연",
        "Trained in Seoul and Berlin. Early one week, late the next.",
        (
            HoursData(BERLIN, (0, 1, 2), (("12:00", "15:30"), ("16:00", "20:00")), week=0),
            HoursData(BERLIN, (2, 3, 4, 5), (("08:30", "11:30"), ("12:00", "15:00")), week=1),
        ),
        {
            "hot-stone-massage": {0: (10500, None)},
            **_plain(
                "deep-tissue-massage", "lymphatic-face-drainage", "prenatal-massage", "back-and-sleep-consultation"
            ),
        },
        meeting_url="https://meet.linden.example/seoyeon",
    ),
    TherapistData(
        "tomas",
        "Tomás Ibarra",
        "Tomás",
        "Two days in Kreuzberg, three in Alfama, the rest on trains.",
        (
            HoursData(BERLIN, (0, 1), (("09:00", "12:30"), ("13:30", "17:00"))),
            HoursData(LISBON, (3, 4, 5), (("11:00", "14:00"), ("15:00", "19:00"))),
        ),
        {"deep-tissue-massage": {0: (8500, 70)}, **_plain("swedish-massage")},
        load=60,
    ),
    TherapistData(
        "maximiliane",
        "Maximiliane Friederike von Hohenlohe-Ast",
        "Maximiliane",
        "Physiotherapist with a waiting list. Here on Thursdays and Tuesday evenings.",
        (
            HoursData(BERLIN, (3,), (("10:00", "13:00"), ("14:00", "17:00"))),
            HoursData(BERLIN, (1,), (("17:00", "20:00"),)),
        ),
        _plain("scar-and-joint-therapy"),
        load=100,
        daily_limit=4,
        bio_de="Physiotherapeutin mit Warteliste. Donnerstags und dienstagabends hier.",
    ),
    TherapistData(
        "ines",
        "Inês Carvalho",
        "Inês",
        "Skin first: fifteen years of facials in Lisbon.",
        (HoursData(LISBON, (1, 2, 3, 4, 5), (("10:00", "14:00"), ("15:00", "19:00"))),),
        _plain("signature-facial", "lymphatic-face-drainage", "swedish-massage", "prenatal-massage"),
    ),
    TherapistData(
        "rui",
        "Rui Teixeira",
        "Rui",
        "Osteopath. Comes to your home on request.",
        (HoursData(LISBON, (2, 3, 4, 5, 6), (("10:00", "12:30"), ("13:00", "18:00"))),),
        _plain("deep-tissue-massage", "hot-stone-massage", "massage-at-your-home", "back-and-sleep-consultation"),
        load=55,
        meeting_url="https://meet.linden.example/rui",
    ),
)

SIGN_INS = (
    SignInData(Role.OWNER, "olivia@linden.example", "Olivia Brandt", is_admin=True),
    SignInData(Role.MANAGER, "jonas@linden.example", "Jonas Weber", place=BERLIN),
    SignInData(Role.FRONT_DESK, "leyla@linden.example", "Leyla Demir", place=BERLIN),
    SignInData(Role.THERAPIST, "ana@linden.example", "Ana Lopes", therapist="ana"),
)

# Names separated by spaces.
FIRST_NAMES = (
    "Anna Ben Carla David Elif Finn Giulia Hannah Ivan Julia Karim Lena Mateo Nele Oskar Paula Quentin "
    "Rosa Samuel Teresa Ugur Vera Wiktor Yara Zofia João Beatriz Duarte Leonor Miguel Carolina Noah "
    "Emilia Luis Sofia"
)
LAST_NAMES = (
    "Albrecht Bauer Costa Dietrich Erdem Fischer Gomes Haas Ivanova Jansen Kowalski Lindner Marques "
    "Neumann Oliveira Pereira Quast Richter Silva Tavares Ünal Vogel Wagner Yilmaz Ziegler Schäfer "
    "Nogueira Berger Kaya Lorenz"
)
NOTES = (
    "Left shoulder, please.",
    "First time here.",
    "Stiff neck since Monday.",
    "Please no music.",
    "Allergic to lavender.",
    "I may be five minutes late.",
    "Bitte nicht zu fest.",
)
REASONS = ("Caught a cold.", "Something came up at work.", "Found another time.", "")
STREETS = ("Oranienstraße 21", "Graefestraße 8", "Bergmannstraße 40", "Rua da Madalena 12", "Rua de São Bento 77")
