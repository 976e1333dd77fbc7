"""The part of a case file that a person reads: the same as the JSON, in words, with the timeline of the audit trail."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from compliance.casefile.content import relations
from compliance.casefile.proof import Proof
from compliance.models import Case
from portal.models import AuditEntry
from portal.pdf import BLACK, GREY, new_sheet, paragraph
from portal.ui.plain import changes_in_words, in_words, name_words

#: A line as it is drawn: what it is, and its words.
Line = tuple[str, str]
TITLE, HEADING, ITEM, LABEL, TEXT = "title", "heading", "item", "label", "text"
SIZES = {TITLE: 18, HEADING: 14, ITEM: 11, LABEL: 9, TEXT: 10}
#: Nobody reads keys of rows, lists for search and digests; the JSON has them.
UNREAD = frozenset({"id", "case", "dedupe", "search", "seen_evidence"})


def drawn(case: Case, told: Mapping[str, Any], proof: Proof, files: list[str]) -> bytes:
    """The PDF's bytes. `told` is the file's content (content.py), `files` the names of the files beside it."""
    lines = list(_lines(case, told, proof, files))
    sheet = new_sheet(f"Case file {case.reference}", "".join(words for _, words in lines))
    for what, words in lines:
        if what == HEADING:
            sheet.ln(5)
        sheet.set_text_color(*(GREY if what == LABEL else BLACK))
        paragraph(sheet, words, SIZES[what])
        sheet.ln(2 if what in {TITLE, HEADING} else 1)
    return bytes(sheet.output())


def _lines(case: Case, told: Mapping[str, Any], proof: Proof, files: list[str]) -> Iterator[Line]:
    yield TITLE, f"Case file {case.reference}"
    yield TEXT, f"{told['case']['kind_title']}: {case.subject_label}"
    yield TEXT, str(told["case"]["kind_purpose"])
    yield (
        LABEL,
        "To read. What proves it stands beside it: case.json and audit.json for machines, the manifest and its "
        f"signature, and check_case_file.py, which checks them without {settings.PARTNER_NAME}.",
    )
    yield HEADING, "The case"
    yield from _values(told["case"])
    for title, data in told["subject"].items():
        yield HEADING, str(title)
        yield from _rows(data) if isinstance(data, list) else _values(data)
    for section in told["shown_now"]:
        yield HEADING, f"Shown on its page: {section['title']}"
        yield from _values(section["rows"] or {})
        for line in section.get("lines", []):
            yield TEXT, " · ".join(line)
    for relation in relations():
        name = relation.related_name or str(relation.related_model._meta.verbose_name_plural).replace(
            " ", "_"
        )
        yield HEADING, name_words(name)
        yield from _rows(told[name])
    yield HEADING, "Timeline"
    for entry in sorted(proof.entries, key=lambda entry: (entry.at, entry.pk)):
        yield from _entry(entry)
    yield HEADING, "Files"
    yield from ((TEXT, name) for name in files or ["None"])
    yield HEADING, "What proves the timeline"
    yield TEXT, f"{len(proof.entries)} audit entries under {len(proof.document['seals'])} seals (audit.json)."
    for problem in proof.problems:
        yield TEXT, f"Not right: {problem}"


def _rows(rows: list[Any]) -> Iterator[Line]:
    if not rows:
        yield TEXT, "None"
    for number, row in enumerate(rows, 1):
        yield ITEM, str(number)
        yield from _values(row) if isinstance(row, Mapping) else iter([(TEXT, in_words(row))])


def _values(values: Mapping[str, Any]) -> Iterator[Line]:
    for name, value in values.items():
        if name not in UNREAD and value not in (None, "", [], {}):
            yield TEXT, f"{name_words(str(name))}: {in_words(value)}"


def _entry(entry: AuditEntry) -> Iterator[Line]:
    yield LABEL, f"{entry.at:%Y-%m-%d %H:%M:%S} UTC, {entry.actor_label or 'the portal itself'}"
    changes = "; ".join(changes_in_words(entry.before, entry.after))
    yield TEXT, " · ".join(filter(None, [entry.action, changes, entry.reason]))
