"""What a step is called where its person and account are not at hand: in the timeline."""

_TITLES = {
    "entity": "The company or trust",
    "entity_address": "Its addresses",
    "entity_business": "Its business",
    "identity": "Who they are",
    "contact": "How to reach them",
    "address": "Where they live",
    "employment": "Their work",
    "owners": "The people of this account",
    "investment": "Investment profile",
    "trusted_contact": "Trusted contact",
    "agreements": "Agreements",
}


def step_title(name: str) -> str:
    """The title of the step of that name, the name itself where it is no longer known."""
    return _TITLES.get(name, name)
