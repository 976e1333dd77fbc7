"""Which application the subject of a case belongs to, and the other subjects that belong to the same."""

from functools import cache
from uuid import UUID

from django.db.models import CharField, Model, Q, Value

from compliance.kinds import Anchor
from compliance.models import Case
from onboarding.audit_subjects import ROUTES
from onboarding.models import Application, DataRequest, SettlementChange
from portal.composed import Question, Statement, asked, prepared

APPLICATION = Application._meta.label_lower
#: How each subject leads to its application.
_WAYS: dict[type[Model], str] = {
    **dict(ROUTES),
    SettlementChange: "account__application",
    # Of a customer with several it is the newest.
    DataRequest: "customer__applications",
}
_BY_LABEL = {model._meta.label_lower: (model, way) for model, way in _WAYS.items()}


def ways() -> dict[type[Model], str]:
    """Every kind of row of ours that cases may be about, with the way from it to its application."""
    return dict(_WAYS)


def application_of(subject_type: str, subject_id: UUID) -> UUID | None:
    """The application of a row that cases may be about; None for rows of nobody's application, or gone."""
    known = _BY_LABEL.get(subject_type)
    if known is None:
        return None
    model, way = known
    rows = model._default_manager.filter(pk=subject_id).order_by(f"-{way}")
    found: UUID | None = rows.values_list(way, flat=True).first()
    return found


def application_of_case(case: Case) -> UUID | None:
    """The application that the case's subject belongs to, looked up once for one reading of the case."""
    subject = (case.subject_type, case.subject_id)
    known = _known(case)
    if subject not in known:
        known[subject] = application_of(*subject)
    return known[subject]


def remember(case: Case, application_id: UUID | None) -> None:
    """What was read of the case's subject says which application it belongs to."""
    _known(case)[case.subject_type, case.subject_id] = application_id


def _known(case: Case) -> dict[tuple[str, UUID], UUID | None]:
    known: dict[tuple[str, UUID], UUID | None] = case.__dict__.setdefault("_applications", {})
    return known


def of_case(case: Case) -> Anchor | None:
    """The application as that to which all that is known of the case's subject belongs."""
    found = application_of_case(case)
    return Anchor(APPLICATION, found) if found else None


def subjects_of(*applications: UUID) -> list[tuple[str, UUID]]:
    """Every row of these applications that a case may be about, in one query."""
    return asked(subjects_question(*applications)) if applications else []


def subjects_question(*applications: UUID) -> Question:
    """What `subjects_of` asks."""
    return Question(_subjects(), (list(applications),))


#: Stands for the applications in what is composed once.
_THESE = UUID(int=0)


@cache
def _subjects() -> Statement:
    """The query: with a part for each kind of row, composing it took longer than asking it."""
    parts = [
        model._default_manager.filter(Q(**{f"{way}__in": [_THESE]}))
        .order_by()
        .annotate(label=Value(model._meta.label_lower, output_field=CharField()))
        .values_list("label", "pk")
        for model, way in _WAYS.items()
    ]
    sql, given = parts[0].union(*parts[1:], all=True).query.sql_with_params()
    return prepared(sql, given, [_THESE])[0]
