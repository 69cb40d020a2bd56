"""Services, locations and policies of Linden Studio. Data only; prices are minor units, lengths are minutes."""

from dataclasses import dataclass, field

from services.enums import Delivery, DepositKind, FeeKind, PaymentMode, ResourceKind

Texts = dict[str, dict[str, str]]
BERLIN, LISBON = "kreuzberg", "alfama"


def clock(text: str) -> int:
    """Read HH:MM as minutes after midnight; 24:30 is half an hour into the next day."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


@dataclass(frozen=True)
class PlaceData:
    slug: str
    name: str
    address: str
    arrival_hint: str
    directions_url: str
    phone: str
    time_zone: str
    # weekday (Monday is 0) -> opening intervals as HH:MM texts
    opening: dict[int, tuple[tuple[str, str], ...]]
    translations: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class VariantData:
    work: int
    price_minor: int
    processing: int = 0
    finish: int = 0
    name: str = ""


@dataclass(frozen=True)
class AddOnData:
    name: str
    price_minor: int
    minutes: int = 0
    is_paid_at_visit: bool = True
    translations: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class PayData:
    """The payment due when booking, if it differs from the cancellation policy. Percentages are basis points."""

    mode: PaymentMode | None = None
    deposit_kind: DepositKind | None = None
    deposit_value: int | None = None


def deposit(percent: int) -> PayData:
    return PayData(PaymentMode.DEPOSIT, DepositKind.PERCENT, percent * 100)


@dataclass(frozen=True)
class ServiceData:
    slug: str
    category: str
    name: str
    summary: str
    icon: str
    variants: tuple[VariantData, ...]
    description: str = ""
    preparation: str = ""
    add_ons: tuple[AddOnData, ...] = ()
    needs: tuple[str, ...] = ("room",)
    places: tuple[str, ...] = (BERLIN, LISBON)
    delivery: Delivery = Delivery.LOCATION
    needs_staff: bool = True
    is_hidden: bool = False
    buffers: tuple[int, int] = (0, 10)
    party: int = 1
    daily_limit: int | None = None
    booking_policy: str = ""
    cancellation_policy: str = ""
    pay: PayData = PayData()
    needs_answer: bool = False
    translations: Texts = field(default_factory=dict)


BUSINESS = {
    "name": "Linden Studio",
    "tagline": "Massage and skin care in Kreuzberg and Alfama. Pick a time, and it is yours.",
    "staff_word": "Therapist",
    "language": "en",
    "currency": "EUR",
    "prices_include_tax": True,
    "brand_colour": "#0f766e",
    "phone": "+49 30 23125 142",
    "email": "hello@linden.example",
    "translations": {
        "de": {
            "tagline": "Massage und Hautpflege in Kreuzberg und Alfama. Zeit aussuchen, und sie gehört Ihnen.",
            "staff_word": "Therapeut:in",
        }
    },
}
TAX_BASIS_POINTS = 1900

# name -> minimum notice (minutes), horizon (days), grid (minutes), hold (minutes); the first is the business's default
BOOKING_POLICIES = {
    "Standard": (60, 60, 15, 10),
    "Long sessions": (240, 90, 30, 15),
    "Short notice": (0, 30, 10, 5),
}
# name -> tiers (minutes before the start, kind, value), further values; the first is the business's default
CANCELLATION_POLICIES: dict[str, tuple[tuple[tuple[int, FeeKind, int], ...], dict[str, int | str]]] = {
    "Free until a day before": (
        ((1440, FeeKind.NONE, 0), (0, FeeKind.PERCENT, 5000)),
        {"no_show_fee_kind": FeeKind.PERCENT, "no_show_fee_value": 5000},
    ),
    "Strict": (
        ((4320, FeeKind.NONE, 0), (1440, FeeKind.PERCENT, 5000), (0, FeeKind.ALL, 0)),
        {
            "reschedule_until_minutes": 1440,
            "free_move_count": 1,
            "over_limit": "fee",
            "change_fee_minor": 1000,
            "payment_mode": PaymentMode.CARD,
            "no_show_fee_kind": FeeKind.ALL,
        },
    ),
    "No fee": ((), {}),
}

PLACES = (
    PlaceData(
        BERLIN,
        "Kreuzberg",
        "Lindenstraße 14, 10969 Berlin",
        "Ring “Linden”, first floor.",
        "https://www.openstreetmap.org/search?query=Lindenstra%C3%9Fe%2014%20Berlin",
        "+49 30 23125 142",
        "Europe/Berlin",
        {
            **dict.fromkeys((0, 1, 2, 3, 5), (("08:30", "20:00"),)),
            4: (("08:30", "24:30"),),
        },
        {"de": {"arrival_hint": "Bei „Linden“ klingeln, erster Stock."}},
    ),
    PlaceData(
        LISBON,
        "Alfama",
        "Rua dos Remédios 52, 1100-443 Lisboa",
        "Blue door, up the stairs.",
        "https://www.openstreetmap.org/search?query=Rua%20dos%20Rem%C3%A9dios%2052%20Lisboa",
        "+351 21 555 0152",
        "Europe/Lisbon",
        {
            **dict.fromkeys((1, 2, 3, 4, 5), (("10:00", "19:00"),)),
            6: (("10:00", "15:00"),),
        },
    ),
)

# key -> kind, name, translations
RESOURCE_TYPES: dict[str, tuple[ResourceKind, str, Texts]] = {
    "room": (ResourceKind.ROOM, "Treatment room", {"de": {"name": "Behandlungsraum"}}),
    "cabin": (ResourceKind.ROOM, "Infrared cabin", {"de": {"name": "Infrarotkabine"}}),
    "laser": (ResourceKind.EQUIPMENT, "Laser", {}),
}
# resource type, place, names
RESOURCES = (
    ("room", BERLIN, ("Birch room", "Ash room", "Maple room", "Rowan room")),
    ("room", LISBON, ("Olive room", "Cork room", "Fig room")),
    ("cabin", BERLIN, ("Cabin 1", "Cabin 2")),
    ("laser", BERLIN, ("Laser",)),
)

# slug -> name, cancellation policy, translations
CATEGORIES: dict[str, tuple[str, str, Texts]] = {
    "massage": ("Massage", "", {}),
    "face-and-skin": ("Face and skin", "", {"de": {"name": "Gesicht und Haut"}}),
    "pregnancy-and-home": ("Pregnancy and home", "", {"de": {"name": "Schwangerschaft und Hausbesuche"}}),
    "warmth-and-advice": ("Warmth and advice", "No fee", {"de": {"name": "Wärme und Beratung"}}),
}

_HOT_TOWEL = AddOnData("Hot towel wrap", 800, 10, translations={"de": {"name": "Heiße Tücher"}})
_AROMA_OIL = AddOnData("Aroma oil", 600, translations={"de": {"name": "Aromaöl"}})

SERVICES = (
    ServiceData(
        "deep-tissue-massage",
        "massage",
        "Deep tissue massage",
        "Slow, firm pressure for tight backs, necks and shoulders.",
        "waves",
        (VariantData(60, 8000), VariantData(90, 11000)),
        description="We look at how you stand and move, then work where it is tight. Say if it is too much.",
        preparation="Eat lightly in the two hours before. Tell us about injuries and recent operations.",
        add_ons=(_HOT_TOWEL, _AROMA_OIL),
        pay=deposit(20),
        translations={
            "de": {
                "name": "Tiefengewebsmassage",
                "summary": "Langsamer, fester Druck für verspannte Rücken, Nacken und Schultern.",
                "preparation": "Zwei Stunden vorher nur leicht essen. Verletzungen und Operationen bitte nennen.",
            }
        },
    ),
    ServiceData(
        "hot-stone-massage",
        "massage",
        "Hot stone massage",
        "Warm basalt stones, long strokes. Best on a cold day.",
        "stones",
        (VariantData(75, 9800),),
        description="The stones are heated to 50 °C and never rest on bare skin.",
        preparation="Not suitable with a fever, varicose veins or during pregnancy.",
        add_ons=(_AROMA_OIL,),
        buffers=(10, 10),
        booking_policy="Long sessions",
        translations={"de": {"name": "Hot-Stone-Massage", "summary": "Warme Steine, lange Züge. Gut an kalten Tagen."}},
    ),
    ServiceData(
        "swedish-massage",
        "massage",
        "Swedish massage",
        "Light to medium pressure, head to toe.",
        "arches",
        (VariantData(30, 4500), VariantData(60, 7000)),
        description="The classic: long strokes, kneading and warm oil. A good first massage.",
        add_ons=(_HOT_TOWEL, _AROMA_OIL),
        translations={"de": {"name": "Schwedische Massage"}},
    ),
    ServiceData(
        "scar-and-joint-therapy",
        "massage",
        "Scar and joint therapy",
        "Hands-on work on old scars and stiff joints. By one person only.",
        "hands",
        (VariantData(75, 12000),),
        description="For scars older than six weeks and joints that move badly. Three to five visits are usual.",
        preparation="Bring reports and pictures if you have them. Wear something loose.",
        places=(BERLIN,),
        daily_limit=4,
        booking_policy="Long sessions",
        cancellation_policy="Strict",
    ),
    ServiceData(
        "signature-facial",
        "face-and-skin",
        "Signature facial",
        "Cleanse, steam, extraction and a mask mixed for your skin.",
        "drop",
        (VariantData(25, 7500, processing=15, finish=10),),
        description="Twenty-five minutes of hands-on work, a quarter of an hour with the mask, then serum and cream.",
        preparation="Come without make-up if you can. No retinol for three days before.",
        add_ons=(AddOnData("Collagen mask", 1400), AddOnData("Light therapy", 1500, 10, is_paid_at_visit=False)),
        pay=deposit(30),
        translations={
            "de": {
                "name": "Gesichtsbehandlung Linden",
                "summary": "Reinigen, bedampfen, ausreinigen und eine Maske für Ihre Haut.",
            }
        },
    ),
    ServiceData(
        "lymphatic-face-drainage",
        "face-and-skin",
        "Lymphatic face drainage",
        "Feather-light strokes that ease puffiness.",
        "lotus",
        (VariantData(40, 6200),),
        translations={"de": {"name": "Lymphdrainage Gesicht"}},
    ),
    ServiceData(
        "laser-hair-removal",
        "face-and-skin",
        "Laser hair removal",
        "Diode laser with cooling. Six visits, four weeks apart.",
        "pulse",
        (
            VariantData(20, 4900, name="Small area"),
            VariantData(30, 7900, name="Underarms and bikini"),
            VariantData(45, 11900, name="Legs"),
        ),
        description="We test a small spot at the first visit. One laser, so times are scarce.",
        preparation="Shave the day before. No sun and no self-tanner for two weeks.",
        needs=("room", "laser"),
        places=(BERLIN,),
        cancellation_policy="Strict",
        translations={"de": {"name": "Haarentfernung mit Laser"}},
    ),
    ServiceData(
        "prenatal-massage",
        "pregnancy-and-home",
        "Prenatal massage",
        "From week 13, lying on your side, with a certified therapist.",
        "rings",
        (VariantData(60, 8500),),
        preparation="Please ask your midwife or doctor first if anything is unusual.",
        add_ons=(AddOnData("Foot bath", 700, 10),),
        needs_answer=True,
        translations={"de": {"name": "Schwangerschaftsmassage"}},
    ),
    ServiceData(
        "massage-at-your-home",
        "pregnancy-and-home",
        "Massage at your home",
        "We bring the table, the towels and the music.",
        "leaf",
        (VariantData(60, 11500), VariantData(90, 14500)),
        description="Inside the city, up to 8 km from the studio. Travel is included.",
        preparation="We need a space of two by three metres and a socket.",
        needs=(),
        delivery=Delivery.CUSTOMER,
        buffers=(30, 30),
        booking_policy="Long sessions",
        pay=PayData(PaymentMode.FULL),
        translations={"de": {"name": "Massage bei Ihnen zu Hause"}},
    ),
    ServiceData(
        "back-and-sleep-consultation",
        "warmth-and-advice",
        "Back and sleep consultation",
        "A video call: what hurts, what helps, what to do at home.",
        "talk",
        (VariantData(30, 3500), VariantData(45, 5000)),
        preparation="A quiet place, a chair and room to lie down in view of the camera.",
        needs=(),
        delivery=Delivery.ONLINE,
        buffers=(0, 5),
        pay=PayData(PaymentMode.FULL),
        translations={"de": {"name": "Beratung für Rücken und Schlaf"}},
    ),
    ServiceData(
        "infrared-sauna",
        "warmth-and-advice",
        "Infrared sauna",
        "A cabin of your own for one or two. Pick how long.",
        "sunrise",
        (VariantData(30, 1800), VariantData(45, 2500), VariantData(60, 3200)),
        preparation="Bring a large towel and water. Two towels can be rented here.",
        add_ons=(AddOnData("Towel set", 400),),
        needs=("cabin",),
        places=(BERLIN,),
        needs_staff=False,
        buffers=(0, 15),
        party=2,
        booking_policy="Short notice",
        translations={"de": {"name": "Infrarotsauna", "summary": "Eine Kabine für ein oder zwei. Länge frei wählbar."}},
    ),
    ServiceData(
        "sound-bath",
        "warmth-and-advice",
        "Sound bath",
        "Bowls and gongs, lying down. Starts in spring.",
        "couple",
        (VariantData(45, 3900),),
        is_hidden=True,
    ),
)
