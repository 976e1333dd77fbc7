"""How names, addresses and references become words to search by."""

import re
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


def search_words(text: str) -> list[str]:
    """The words of a text as they are stored and asked for: letters and digits of any script, nothing else.

    Both sides cut an e-mail address or a reference at its punctuation, so the beginning of any part finds it.
    """
    return re.findall(r"\w+", text.replace("_", " "))


#: Up to so many matches are read by their keys.
FEW = 1000


def among(rows: QuerySet[Row], matches: Q) -> QuerySet[Row]:
    """The rows that match a text, for a list that is read in the order of another index.

    PostgreSQL takes the beginning of a word for common when it does not know it. It then goes through the table in
    the list's order until a page is full, which for a rare word is to its end. So few matches are looked up first.
    """
    keys = list(rows.model._default_manager.filter(matches).values_list("pk", flat=True)[: FEW + 1])
    return rows.filter(matches) if len(keys) > FEW else rows.filter(pk__in=keys)
