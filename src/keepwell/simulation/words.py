"""Word lists of the simulated world: people, agencies, places. Every domain ends in `.example`."""

from typing import Final

_FIRST: Final = (
    "Ada Alba Amir Anika Anton Arlo Bea Benno Bianca Bruno Carla Cedric Clara Cosmo Dalia Dario Edda Elias Elin Emre"
    " Enzo Esra Fabio Farah Felix Fiona Gideon Greta Hana Hugo Ida Ilyas Imke Ines Ivo Jana Jasper Joana Jonah Jule"
    " Kaya Kian Lara Leon Levi Lina Livia Luca Lucia Malik Mara Marek Matteo Mila Milan Mina Nadia Nico Nora Odin"
    " Olga Omar Otis Paula Pilar Quinn Rafael Romy Rosa Ruben Samir Selma Silas Sofia Tamar Theo Tilda Uma Vera Yara"
)
_LAST: Final = (
    "Abel Adler Almeida Ansel Bach Barlow Becker Bellamy Bergman Blum Brandt Calder Castell Cole Corso Dahl Danner"
    " Delgado Dorn Drake Eckert Ellison Engel Falk Farrow Ferrer Fontaine Frost Gallo Garner Gomes Graf Haas Hale"
    " Hartmann Haven Holm Ibarra Iversen Jansen Juarez Kaplan Keller Kovac Kruse Lang Larsen Lindner Lowell Maron"
    " Mercer Moreau Nagel Noble Novak Oakes Ortega Palmer Perrin Pohl Quist Ramos Reuter Rivers Roth Sander Sato"
    " Silva Sommer Stein Tanner Thorne Ulmer Vargas Vogel Wagner Weller Winter Yates Zeller"
)
FIRST_NAMES: Final = tuple(_FIRST.split())
LAST_NAMES: Final = tuple(_LAST.split())
SUFFIXES: Final = (
    "Realty",
    "Properties",
    "Estates",
    "Homes",
    "Real Estate",
    "Property Partners",
    "Residential",
    "Lettings",
    "Immobilien",
    "Realtors",
)
INDUSTRIES: Final = (
    "Residential Sales",
    "Property Management",
    "Commercial Real Estate",
    "Vacation Rentals",
    "Luxury Homes",
    "New Developments",
)
INDUSTRY_SHARES: Final = (0.42, 0.22, 0.13, 0.10, 0.07, 0.06)
PLACES: Final = (
    ("US", "Denver"),
    ("US", "Austin"),
    ("US", "Portland"),
    ("US", "Tampa"),
    ("CA", "Halifax"),
    ("CA", "Calgary"),
    ("GB", "Leeds"),
    ("GB", "Bristol"),
    ("IE", "Cork"),
    ("DE", "Hamburg"),
    ("DE", "Leipzig"),
    ("AT", "Graz"),
    ("CH", "Bern"),
    ("NL", "Utrecht"),
    ("FR", "Lyon"),
    ("ES", "Valencia"),
    ("PT", "Porto"),
    ("SE", "Malmö"),
    ("AU", "Perth"),
    ("NZ", "Nelson"),
)
OWNERS: Final = ("maya.brandt@keepwell.example", "jonas.rivers@keepwell.example")
AGENTS: Final = ("support.lea@keepwell.example", "support.tomas@keepwell.example", "support.ines@keepwell.example")
TITLES: Final = {
    "admin": ("Office Manager", "Operations Lead"),
    "champion": ("Head of Sales", "Marketing Lead", "Digital Lead"),
    "decision_maker": ("Managing Broker", "Managing Director", "Owner"),
    "billing": ("Bookkeeper", "Finance Manager"),
    "exec_sponsor": ("Chief Operating Officer", "Chief Executive Officer"),
    "user": ("Agent", "Senior Agent", "Listing Coordinator", "Letting Agent", "Assistant"),
}
CHURN_REASONS: Final = {
    "bad_release": "Product quality",
    "champion_left": "Change of contact",
    "price_increase": "Too expensive",
    "competitor": "Moved to a competitor",
    "payment": "Budget",
    "low_value": "Not using it enough",
    "payment_failure": "Unpaid invoices",
}


def agency_name(number: int, shift: int) -> str:
    """The name of the agency with this number: no two numbers of a world share one."""
    count = len(LAST_NAMES)
    space = count * count * len(SUFFIXES)
    lap, place = divmod(number, space)
    rest, suffix = divmod((place * 39_119 + shift) % space, len(SUFFIXES))
    first, second = divmod(rest, count)
    pair = LAST_NAMES[first] if first == second else f"{LAST_NAMES[first]} & {LAST_NAMES[second]}"
    city = f" {PLACES[(lap - 1) % len(PLACES)][1]}{'' if lap <= len(PLACES) else lap}" if lap else ""
    return f"{pair} {SUFFIXES[suffix]}{city}"


def domain_of(name: str) -> str:
    """A reserved domain that belongs to a name."""
    return name.lower().replace(" & ", "-").replace(" ", "-").replace("ö", "oe") + ".example"


def person_name(customer: int, position: int) -> tuple[str, str]:
    """First and last name; within a customer no name comes twice."""
    space = len(FIRST_NAMES) * len(LAST_NAMES)
    first, last = divmod((customer * 4_517 + position * 4_099) % space, len(LAST_NAMES))
    return FIRST_NAMES[first], LAST_NAMES[last]
