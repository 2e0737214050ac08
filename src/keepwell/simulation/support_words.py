"""What customers write to support: subjects and bodies by category, and the tone around them."""

from typing import Final

CATEGORIES: Final = (
    "Bug",
    "Feature Request",
    "How-To",
    "Account/Billing",
    "Performance",
    "Data Issue",
    "Integration",
    "Mobile",
)
TYPES: Final = ("problem", "feature_request", "question", "billing", "problem", "problem", "problem", "problem")

TEMPLATES: Final = {
    "Bug": (
        (
            "Saving a {area} fails",
            "When we save a {area}, an error appears and the changes are lost. It happened {n} times.",
        ),
        ("{Area} page shows a blank screen", "Opening the {area} page leaves us with a blank screen in two browsers."),
        (
            "Duplicate entries in {area}",
            "Since yesterday every entry in {area} is created twice and we delete them by hand.",
        ),
        (
            "Search in {area} finds nothing",
            "Searching {area} for {city} returns no result although we have {n} entries.",
        ),
    ),
    "Feature Request": (
        ("Bulk edit for {area}", "We would like to change {n} entries in {area} at once instead of one by one."),
        ("Export {area} as a spreadsheet", "Our broker asks for a weekly export of {area}. Could this be added?"),
        ("Templates for {area}", "It would help our {n} agents to have shared templates in {area}."),
    ),
    "How-To": (
        (
            "How do we set up {area}?",
            "We are new to {area}. Which steps do we need to take first for our {city} office?",
        ),
        ("Inviting colleagues", "How can I invite {n} colleagues and give them access to {area} only?"),
        ("Training for {area}", "Is there a short course on {area} that new agents can take?"),
    ),
    "Account/Billing": (
        ("Question about our invoice", "The last invoice lists {n} seats. Can you explain how that number is counted?"),
        ("Payment did not go through", "Our card was declined and we would like to change the payment method."),
        ("Change of billing address", "Please change our billing address to the new office in {city}."),
    ),
    "Performance": (
        ("{Area} is very slow", "Loading {area} takes about {n} seconds since this week, for all of our agents."),
        ("Timeouts in the morning", "Between nine and ten the {area} page runs into timeouts in our {city} office."),
    ),
    "Data Issue": (
        ("Wrong numbers in {area}", "The totals in {area} differ from our own list by {n} entries."),
        ("Import of {area} incomplete", "We imported {area} and {n} records from {city} are missing."),
    ),
    "Integration": (
        ("Portal sync stopped", "The sync of {area} with the listing portal has stopped, {n} entries are out of date."),
        ("API returns errors for {area}", "Our script gets an error from the API when it reads {area}."),
    ),
    "Mobile": (
        (
            "App crashes when opening {area}",
            "The app closes itself when an agent opens {area} during a viewing in {city}.",
        ),
        ("Photos do not upload from the phone", "Of {n} photos taken on site, only a few reach {area}."),
    ),
}
AREAS: Final = ("listings", "leads", "campaigns", "reports", "calendar", "documents", "automation", "dashboard")

NEGATIVE_OPENINGS: Final = (
    "This is really frustrating.",
    "We are losing patience.",
    "I am very disappointed, this is not the first time.",
    "This is unacceptable for a tool we pay for.",
    "Our agents are angry about this.",
)
NEUTRAL_OPENINGS: Final = ("Hello,", "Hi team,", "Good morning,", "Dear support,")
POSITIVE_OPENINGS: Final = (
    "Hi, we love working with the product.",
    "Hello, first of all thank you for the great help last time.",
    "Hi team, the new version is excellent.",
)
NEGATIVE_CLOSINGS: Final = (
    "If this is not fixed soon we will have to reconsider our contract.",
    "Please fix this immediately, it costs us clients.",
    "We have been waiting far too long.",
)
NEUTRAL_CLOSINGS: Final = ("Please let us know.", "Could you have a look?", "Thanks in advance.")
POSITIVE_CLOSINGS: Final = ("Thanks a lot, you are always helpful!", "No hurry, and keep up the great work!")
OPENINGS: Final = (NEGATIVE_OPENINGS, NEUTRAL_OPENINGS, POSITIVE_OPENINGS)
CLOSINGS: Final = (NEGATIVE_CLOSINGS, NEUTRAL_CLOSINGS, POSITIVE_CLOSINGS)

COMPETITORS: Final = ("PropFlow", "ListRight", "AgentDesk")
COMPETITOR_LINES: Final = (
    "A colleague showed us {rival} and there it just works.",
    "{rival} has made us an offer and we are comparing.",
    "We are testing {rival} next month.",
)

CSAT_COMMENTS: Final = (
    ("Problem still not solved.", "Slow answer and no solution.", "I had to explain everything twice."),
    ("It works again.", "Okay.", "Took a while, but solved."),
    ("Great and friendly support!", "Quick and clear answer, thank you.", "Excellent help."),
)
NPS_COMMENTS: Final = (
    (
        "Too expensive for what we use.",
        "Too many bugs after the last release.",
        "Slow, and support takes too long.",
        "Difficult to use for our agents.",
        "We miss important integrations.",
    ),
    (
        "Good product, but reports are confusing.",
        "Solid, some features are missing.",
        "It does what we need.",
        "Fine, though the mobile app could be faster.",
    ),
    (
        "Easy to use and saves us hours every week.",
        "Great support and a very helpful team.",
        "Our agents love the listings and calendar.",
        "Excellent value for our agency.",
    ),
)
CES_COMMENTS: Final = (("Setting up was hard.",), ("It was all right.",), ("Very easy to get started.",))
