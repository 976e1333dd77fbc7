"""How names, addresses and references become words to search by."""

import re


def search_words(text: str) -> list[str]:
    """The words of a text as they are stored and asked for: letters and digits of any script, nothing else.

    Both sides cut an e-mail address or a reference at its punctuation, so the beginning of any part finds it.
    """
    return re.findall(r"\w+", text.replace("_", " "))
