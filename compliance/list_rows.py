"""The rows of the list of cases, and how open pages get them anew."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote
from uuid import UUID

from django.utils.safestring import SafeString

from compliance import approvers, kinds
from compliance.list_columns import BY_KEY, Column, Facts
from compliance.models import Case
from compliance.standing import STATUS_WORDS
from portal.ui.addresses import address
from portal.ui.drawing import joined, markup, remembered


def drawn(
    cases: Iterable[Case],
    *,
    columns: Sequence[Column],
    looking: Mapping[UUID, str],
    query: str = "",
    may_choose: bool = False,
) -> SafeString:
    """The rows of these cases. `looking` says who looks at which, `query` are the list's filters as its address has
    them, `may_choose` gives each row a box to tick."""
    cases = list(cases)
    seconds = approvers.seconds_of_cases(cases)
    rows = [
        _row(
            key=case.pk,
            reference=case.reference,
            kind=kinds.get(case.kind).title,
            looking=looking.get(case.pk, ""),
            said=f"{STATUS_WORDS[case.status]}, with {case.assignee or 'nobody'}",
            query=query,
            may_choose=may_choose,
            cells=tuple([(column.key, column.facts(case, seconds.get(case.pk))) for column in columns]),
        )
        for case in cases
    ]
    return joined(rows)


@remembered(4096)
def _row(
    *,
    key: UUID,
    reference: str,
    kind: str,
    looking: str,
    said: str,
    query: str,
    may_choose: bool,
    cells: tuple[tuple[str, Facts], ...],
) -> SafeString:
    link = markup(
        '<a class="table__link nowrap" href="{}?list={}" id="row-{}" data-row-link data-take="{}">{}</a>',
        address("cases:detail", key),
        quote(query, safe=""),
        key,
        address("cases:assign", key),
        reference,
    )
    live = joined(
        markup(
            '<span class="{}" data-live-part="{}-{}" data-live-say="{}">{}</span>',
            css,
            key,
            part,
            reference,
            words,
        )
        for css, part, words in (("table__sub", "looking", looking), ("visually-hidden", "words", said))
    )
    return markup(
        '<tr>{}<td data-label="Case"><div>{}<span class="table__sub">{}</span>{}</div></td>{}</tr>\n',
        _box(key, reference) if may_choose else "",
        link,
        kind,
        live,
        joined(BY_KEY[column].cell(str(key), facts) for column, facts in cells),
    )


def _box(key: UUID, reference: str) -> SafeString:
    return markup(
        '<td data-label="Choose"><label class="choice choice--plain"><input type="checkbox" name="case" value="{}">'
        '<span class="visually-hidden">Choose {}</span></label></td>',
        key,
        reference,
    )
