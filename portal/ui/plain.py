"""Kept values as people read them: no brackets, quotes or underscores of the code that wrote them."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from portal.ui.time import moment_words

#: A cell that begins so is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*")
_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")


def in_words(value: Any) -> str:
    """A value kept as JSON, in plain words: lists separated by commas, dates written out."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name_words(name)}: {in_words(item)}" for name, item in value.items()) or "nothing"
    if isinstance(value, list | tuple):
        return ", ".join(in_words(item) for item in value) or "nothing"
    return _text(str(value))


def _text(text: str) -> str:
    try:
        if _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return moment_words(moment if timezone.is_aware(moment) else timezone.make_aware(moment))
        if _DAY.fullmatch(text):
            return date_format(date.fromisoformat(text), "M j, Y")
    except ValueError:
        return text
    return text.replace("_", " ") if _CODE.fullmatch(text) else text


def defused(text: str) -> str:
    """A cell of a CSV so that a spreadsheet shows it and does not calculate it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def name_words(name: str) -> str:
    """A field's name as a label: `step_version` is `Step version`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def changes_in_words(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[str]:
    """One line for each value a change touched: `Status: pending → active`."""
    old, new = before or {}, after or {}
    lines = []
    for name in [*old, *(name for name in new if name not in old)]:
        # A version is a name, also one that looks like a day.
        read = str if name == "version" else in_words
        if name not in new:
            lines.append(f"{name_words(name)}: {read(old[name])} → nothing")
        elif name not in old:
            lines.append(f"{name_words(name)}: {read(new[name])}")
        elif old[name] != new[name]:
            lines.append(f"{name_words(name)}: {read(old[name])} → {read(new[name])}")
    return lines
