"""The forms of a case's page as they are drawn. An empty form says the same on many pages, so it is drawn once
(docs/decisions/0032); one that was sent, or that carries somebody's words, is drawn anew."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from compliance import desk, kinds, selectors
from compliance.forms import (
    AssignForm,
    ChecklistForm,
    DecisionForm,
    HoldForm,
    NoteForm,
    WaitForm,
    tick_choice,
)
from compliance.models import CaseTick
from portal.templatetags.ui_forms import field, form_fields
from portal.ui.drawing import joined, markup, remembered
from providers.forms import ReasonForm

_EMPTY: dict[str, Callable[[], forms.Form]] = {
    "note": lambda: NoteForm(prefix="note"),
    "wait": lambda: WaitForm(prefix="wait"),
    "hold": lambda: HoldForm(prefix="hold"),
    "escalate": lambda: ReasonForm(prefix="escalate"),
    "reopen": lambda: ReasonForm(prefix="reopen"),
    "send_back": lambda: ReasonForm(prefix="send_back"),
}
#: Code, label, hint, whether it needs words, whether it needs two, and its reasons: what the form says of a decision.
_Offer = tuple[str, str, str, bool, bool, tuple[tuple[str, str], ...]]


def drawn(bound: Mapping[str, forms.Form]) -> dict[str, SafeString]:
    """The fields of each form by its name in the templates (`note_fields`): as sent where it is in `bound`."""
    found = {name: bound.get(f"{name}_form") for name in (*_EMPTY, "assign")}
    return {
        f"{name}_fields": form_fields(sent) if sent is not None else _empty_of(name)
        for name, sent in found.items()
    }


def _empty_of(name: str) -> SafeString:
    return _assign(people=desk.people()) if name == "assign" else _empty(name=name)


@remembered(16)
def _empty(*, name: str) -> SafeString:
    return form_fields(_EMPTY[name]())


@remembered(8)
def _assign(*, people: tuple[desk.Option, ...]) -> SafeString:
    form = AssignForm(people=selectors.people_for_cases(), offered=people, prefix="assign")
    return form_fields(form)


def checklist(kind: kinds.CaseKind, ticks: Iterable[CaseTick], *, enabled: bool) -> SafeString:
    """The boxes of the kind's checklist, with who ticked them."""
    by = {tick.item: tick for tick in ticks}
    items = tuple((item.code, tick_choice(item.text, by.get(item.code))) for item in kind.checklist)
    return _checklist(items=items, ticked=tuple(by), enabled=enabled)


@remembered(256)
def _checklist(*, items: tuple[tuple[str, str], ...], ticked: tuple[str, ...], enabled: bool) -> SafeString:
    form = ChecklistForm(items=items, ticked=ticked, enabled=enabled, prefix="checklist")
    return SafeString(form["done"])


def decision(
    decisions: Sequence[kinds.Decision], needing_two: Collection[str], version: int, initial: dict[str, Any]
) -> SafeString:
    """The empty form of these decisions; `initial` is what came back to its maker. Empty where there are none."""
    if not decisions:
        return SafeString("")
    if initial:
        form = DecisionForm(
            decisions=decisions,
            needing_two=needing_two,
            prefix="decide",
            initial={"version": version, **initial},
        )
        return decision_sent(form)
    offers = tuple(
        (row.code, row.label, row.hint, row.needs_text, row.code in needing_two, tuple(row.reasons.items()))
        for row in decisions
    )
    return joined([_decision(offers=offers), _version(version)])


def decision_sent(form: DecisionForm) -> SafeString:
    """The form as it was sent."""
    return joined([*(field(bound) for bound in form.visible_fields()), SafeString(form["version"])])


def _version(version: int) -> SafeString:
    return markup('<input type="hidden" name="decide-version" value="{}">', version)


@remembered(256)
def _decision(*, offers: tuple[_Offer, ...]) -> SafeString:
    decisions = [
        kinds.Decision(code, label, hint, reasons=dict(reasons), needs_text=needs_text)
        for code, label, hint, needs_text, _, reasons in offers
    ]
    two = {code for code, _, _, _, needs_two, _ in offers if needs_two}
    form = DecisionForm(decisions=decisions, needing_two=two, prefix="decide")
    return joined(field(bound) for bound in form.visible_fields())
