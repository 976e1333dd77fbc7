"""A change that would alter more at the provider than was asked: their copy differs from what we hold."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import second_person, update_jobs
from onboarding.cases import asking, traits
from onboarding.dossier import anchors
from onboarding.models import AccountUpdate, Application, ProviderAccount
from portal.errors import Conflict
from portal.sealed import Sealed
from providers.bakkt.compare import SENSITIVE

Status = AccountUpdate.Status


def path_words(path: str) -> str:
    """A wire path as words: "Owner, identity: given name"."""
    parts = [re.sub(r"\[[^\]]*\]", "", part) for part in path.split(".")]
    words = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", part).lower() for part in parts]
    place, leaf = words[:-1], words[-1]
    text = f"{', '.join(place)}: {leaf}" if place else leaf
    return text[0].upper() + text[1:]


def shown(path: str, value: Any) -> str:
    """A value as the comparison shows it: masked where it is sensitive."""
    if value in (None, ""):
        return "Nothing"
    leaf = path.rsplit(".", 1)[-1].partition("[")[0]
    if leaf in SENSITIVE:
        return "•••" + str(value)[-2:]
    return "Yes" if value is True else "No" if value is False else str(value)


def comparison(update: AccountUpdate) -> kinds.Comparison:
    """The three copies side by side, as they were read; lines that nobody asked for are marked."""
    held = update.comparison
    rows: list[dict[str, Any]] = held.reveal() if isinstance(held, Sealed) and held else []
    return kinds.Comparison(
        ("Field", "To be sent", "Ours now", "Sent last", "The provider's copy"),
        tuple(
            (
                path_words(row["path"]),
                *(shown(row["path"], row[side]) for side in ("wanted", "ours", "sent", "theirs")),
            )
            for row in rows
        ),
        frozenset(at for at, row in enumerate(rows) if row["path"] in update.stopped_by),
    )


def _held(case: Case) -> AccountUpdate | None:
    return (
        AccountUpdate.objects.filter(account__application=case.subject_id, status__in=[Status.HELD]).first()
        or AccountUpdate.objects.filter(account__application=case.subject_id).order_by("-pk").first()
    )


def _evidence(case: Case) -> Sequence[kinds.Section]:
    update = _held(case)
    if update is None:
        return ()
    return (
        kinds.Section(
            "What was asked",
            (
                kinds.Row("Changes", ", ".join(update.labels)),
                kinds.Row("Asked by", str(update.requested_by)),
                kinds.Row("Status", update.get_status_display()),
            ),
        ),
        kinds.Section("The copies, read before sending", comparison=comparison(update)),
    )


def _page(subject_id: UUID) -> str:
    return reverse("staff:application", args=[subject_id])


def _lock(subject_id: UUID) -> None:
    Application.objects.select_for_update().filter(pk=subject_id).first()
    ProviderAccount.objects.select_for_update().filter(application=subject_id).first()


def _locked(case: Case) -> AccountUpdate:
    update = (
        AccountUpdate.objects.select_for_update(of=("self",))
        .select_related("account__application", "requested_by")
        .filter(account__application=case.subject_id, status=Status.HELD)
        .first()
    )
    if update is None:
        raise Conflict("The change is not held any more.")
    return update


def _send(ruling: kinds.Ruling) -> str:
    update_jobs.send(_locked(ruling.case), source="case", actor=ruling.actor)
    return "The complete data set was sent with the change."


def _drop(ruling: kinds.Ruling) -> str:
    update_jobs.refused(
        _locked(ruling.case),
        "Not sent after a look at the provider's copy.",
        source="case",
        actor=ruling.actor,
    )
    return "The change was not sent; the customer was told."


kind = kinds.CaseKind(
    name=update_jobs.DIFFERS,
    title="Change alters more than asked",
    purpose=(
        "Every change sends the complete data set. The provider's copy differs from ours in more than what was asked; "
        "sending would overwrite or blank it."
    ),
    checklist=(
        kinds.CheckItem("compared", "Each marked line looked at"),
        kinds.CheckItem("source", "For each: known who changed it last, and when"),
    ),
    decisions=(
        kinds.Decision(
            "send",
            "Send it: ours is right",
            "The provider's copy becomes ours.",
            effect=_send,
            verdict="approved",
        ),
        kinds.Decision(
            "drop",
            "Do not send",
            "The customer is told that the change was not made.",
            effect=_drop,
            reasons={
                "theirs_right": "The provider's copy is right",
                "would_blank": "It would blank what they hold",
                "ask_first": "The customer has to be asked first",
            },
            needs_text=True,
            verdict="refused",
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    ask_url=asking.page,
    lock=_lock,
    ruled_out=second_person.about((Application, "")),
    traits=traits.of_application,
    due_after=timedelta(days=1),
)
