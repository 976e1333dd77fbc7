"""What the customer's pages share: who may see them, where a step is, how an answer is read."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from onboarding import papers
from onboarding.answer_words import answer_rows
from onboarding.completeness import StepState
from onboarding.corrections import corrections_of
from onboarding.drafts import Draft
from onboarding.models import Application, Owner
from onboarding.requirements import Step, StepName
from portal.errors import Forbidden
from portal.models import Role, User
from portal.staff import user_of

View = Callable[..., HttpResponseBase]


def customer_page(view: View) -> View:
    """For signed-in customers; staff have pages of their own."""

    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if user_of(request).role != Role.CUSTOMER:
            raise Forbidden("This page is for customers. Staff find applications in their own list.")
        return view(request, *args, **kwargs)

    return guarded


def step_url(application: Application, step: Step, owner: Owner | None) -> str:
    """The address of a step's page."""
    if owner is None or owner.is_applicant:
        return reverse("customer:step", args=[application.pk, step.name])
    return reverse("customer:person_step", args=[application.pk, owner.pk, step.name])


def state_url(application: Application, state: StepState) -> str:
    """The address of the page where a step's state is changed."""
    return step_url(application, state.step, state.owner)


def step_links(application: Application, states: list[StepState], current: str) -> list[dict[str, Any]]:
    """The step indicator's entries: the account's and the applicant's own steps. Other people stand behind one."""
    others_done = all(state.done for state in states if state.owner_id)
    found = []
    for state in states:
        if state.owner_id:
            continue
        done = state.done and (others_done or state.step.name != StepName.OWNERS)
        word = "done" if done else "attention" if state.needs_attention else "todo"
        if state.step.optional and not state.version:
            word = "todo"
        found.append(
            {
                "title": state.step.short,
                "url": state_url(application, state),
                "state": "current" if state.step.name == current else word,
            }
        )
    asked = [paper for paper in papers.papers_of(application) if paper.rule.types]
    if asked:
        word = "done" if all(paper.handed_in for paper in asked) else "todo"
        found.append(
            {
                "title": "Papers",
                "url": reverse("customer:documents", args=[application.pk]),
                "state": "current" if current == "papers" else word,
            }
        )
    complete = all(state.done for state in states)
    found.append(
        {
            "title": "Review",
            "url": reverse("customer:review", args=[application.pk]) if complete else "",
            "state": "current" if current == "review" else "todo",
        }
    )
    return found


def own_part_url(application: Application, states: list[StepState], owner: Owner) -> str:
    """Where an owner with a part of their own goes on: their next open step, else the page of their part."""
    own = next((state for state in states if state.owner_id == owner.pk and not state.done), None)
    return state_url(application, own) if own else reverse("customer:part", args=[application.pk])


def person_links(
    application: Application, states: list[StepState], owner: Owner, current: str, is_their_own: bool = False
) -> list[dict[str, Any]]:
    """The step indicator of one other person of the account, and the way back to all, or to their own part."""
    found = [
        {
            "title": "Your part" if is_their_own else "People",
            "url": reverse("customer:part", args=[application.pk])
            if is_their_own
            else reverse("customer:step", args=[application.pk, StepName.OWNERS]),
            "state": "todo",
        }
    ]
    for state in states:
        if state.owner_id != owner.pk:
            continue
        word = "done" if state.done else "attention" if state.needs_attention else "todo"
        found.append(
            {
                "title": state.step.short,
                "url": state_url(application, state),
                "state": "current" if state.step.name == current else word,
            }
        )
    return found


def correction_links(draft: Draft, viewer: User) -> list[dict[str, str]]:
    """What the provider refused, each with the page where it is mended; a question it refused twice stands once.

    Each customer gets those of what they fill in.
    """
    found = [
        {
            "label": row.label,
            "url": step_url(draft.application, row.step, row.owner) if row.step else "",
        }
        for row in corrections_of(draft)
        if draft.shows_answers_of(row.owner, viewer)
    ]
    return list({row["label"]: row for row in found}.values())


def summary_sections(draft: Draft, viewer: User | None = None) -> list[dict[str, Any]]:
    """Every step with its answers as people read them, masked where sensitive: those a customer fills in, or all."""
    sections = []
    for step, owner in draft.journey():
        if viewer is not None and not draft.shows_answers_of(owner, viewer):
            continue
        if step.name == StepName.AGREEMENTS or (step.name == StepName.OWNERS and not step.fields):
            continue
        kept = draft.answers(step, owner)
        rows = answer_rows(step, kept)
        if step.optional and not rows:
            continue
        whose = owner if owner is not None and not owner.is_applicant else None
        sections.append(
            {
                "step": step,
                "owner": whose,
                "heading": f"{whose.full_name or whose.get_role_display()}: {step.short.lower()}"
                if whose
                else step.short,
                "title": "" if whose else step.title,
                "url": step_url(draft.application, step, owner),
                "rows": rows,
            }
        )
    return sections


def acceptances_of(draft: Draft) -> list[Any]:
    """Who accepted what, oldest first."""
    rows = [
        row
        for owner in draft.owners
        for row in owner.acceptances.select_related("agreement", "owner").order_by("accepted_at")
    ]
    return sorted(rows, key=lambda row: row.accepted_at)
