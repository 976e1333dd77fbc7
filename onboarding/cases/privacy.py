"""A customer wants a copy of their data, or wants it erased: a person makes sure and decides."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import second_person
from onboarding.cases import holding, traits
from onboarding.dossier import anchors
from onboarding.models import DataRequest
from onboarding.privacy import requests
from portal import clock

_CHECKED = kinds.CheckItem("identity", "It is the customer who asks: signed in, or verified as written below")


def _request(subject_id: UUID) -> DataRequest | None:
    rows = DataRequest.objects.select_related("customer__user", "asked_by")
    return rows.filter(pk=subject_id).first()


def _evidence(case: Case) -> Sequence[kinds.Section]:
    request = _request(case.subject_id)
    if request is None:
        return ()
    left = (request.due_on - clock.today()).days
    rows = (
        kinds.Row("What", request.get_kind_display()),
        kinds.Row("How far", request.get_status_display()),
        kinds.Row("Asked by", request.asked_by.label if request.asked_by.is_staff_member else "The customer"),
        kinds.Row("How they were verified", request.verified_how or "Signed in as the customer"),
        kinds.Row("Last day by law", f"{request.due_on:%B %d, %Y}"),
        kinds.Row("Days left", str(left), is_clock=True),
    )
    found = [kinds.Section("The request", rows)]
    if request.kind == DataRequest.Kind.ERASURE and request.status == DataRequest.Status.ASKED:
        reasons = requests.why_not_erase(request.customer)
        lines = tuple(kinds.Row("In the way", reason) for reason in reasons)
        found.append(
            kinds.Section(
                "Whether it can be erased now",
                lines
                or (kinds.Row("Nothing in the way", "What must be kept is shut away, the rest is erased"),),
            )
        )
    return found


def _page(subject_id: UUID) -> str:
    request = _request(subject_id)
    return reverse("privacy_staff:customer", args=[request.customer_id]) if request else ""


def _give(ruling: kinds.Ruling) -> str:
    requests.grant_export(ruling.case.subject_id, actor=ruling.actor)
    return "The copy is being put together; the customer gets a letter when it is there."


def _erase(ruling: kinds.Ruling) -> str:
    return requests.erase(ruling.case.subject_id, actor=ruling.actor)


def _refuse(ruling: kinds.Ruling) -> str:
    requests.refuse(ruling.case.subject_id, ruling.text, actor=ruling.actor)
    return "Not granted; the customer was told why."


_REFUSAL = kinds.Decision(
    "refuse",
    "Do not grant it",
    "What you write is told to the customer, word for word.",
    effect=_refuse,
    needs_text=True,
    reasons={
        "not_verified": "Not sure that it is the customer",
        "repeated": "Asked again without need",
        "law": "The law forbids it, as a legal hold does",
        "not_yet": "An account is open or something is under way",
    },
)

export = kinds.CaseKind(
    name=requests.CASE_KINDS[DataRequest.Kind.EXPORT],
    title="Copy of the data wanted",
    purpose="A customer wants a copy of what we hold about them. Make sure that it is they who ask, and give it.",
    checklist=(_CHECKED,),
    decisions=(
        kinds.Decision(
            "give", "Give the copy", "Their answers and papers, without other people's.", effect=_give
        ),
        _REFUSAL,
    ),
    permission="privacy.decide",
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    tell_held=holding.tells("The copy of your data that you asked for"),
    lock=requests.lock,
    traits=traits.of_data_request,
    ruled_out=second_person.about((DataRequest, "")),
    due_after=timedelta(days=15),
)

erasure = kinds.CaseKind(
    name=requests.CASE_KINDS[DataRequest.Kind.ERASURE],
    title="Erasure of data wanted",
    purpose="A customer wants their data erased. What the law makes us keep is shut away until its day; the rest goes "
    "for good. It cannot be taken back.",
    checklist=(_CHECKED, kinds.CheckItem("money", "No money of theirs is left with us or on its way")),
    decisions=(
        kinds.Decision("erase", "Erase now", "It cannot be taken back.", effect=_erase),
        _REFUSAL,
    ),
    permission="privacy.decide",
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    tell_held=holding.tells("The erasure of your data that you asked for"),
    lock=requests.lock,
    traits=traits.of_data_request,
    ruled_out=second_person.about((DataRequest, "")),
    due_after=timedelta(days=15),
)
