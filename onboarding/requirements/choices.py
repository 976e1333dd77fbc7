"""Vocabularies as choices of a question."""

from django.db.models import TextChoices


def choices_of(kind: type[TextChoices]) -> tuple[tuple[str, str], ...]:
    """(wire word, label) of every word, in the order they are shown."""
    return tuple((str(value), str(label)) for value, label in kind.choices)
