"""Asking for case files, and fetching them."""

from collections.abc import Sequence
from uuid import UUID

from django.core import signing
from django.db import transaction

from compliance import personal, selectors
from compliance.models import Case, CaseExport
from compliance.services.shared import invalid
from portal import audit, clock
from portal.doorbell import ring
from portal.errors import Conflict, Forbidden, Gone, NotFound
from portal.models import User
from portal.permissions import require

PERMISSION = "case.export"
#: More cases in one file nobody reads.
MOST_CASES = 100
#: Of one person at once.
MOST_UNDER_WAY = 3
LINK_SECONDS = 300
SALT = "compliance.exports"
TASK = "compliance.tasks.export_make"


def export_ask(
    *, actor: User, case_ids: Sequence[UUID], reason: str, with_papers: bool, source: str = "page"
) -> CaseExport:
    """Have a case file made of these cases; a worker does it. Each case's trail says that it was taken.

    Raises Forbidden, NotFound for a case that is not the actor's to see, Conflict while too many of theirs are under
    way, and Invalid for no case or too many.
    """
    require(actor, PERMISSION)
    cases = list(selectors.cases_visible_to(actor).filter(pk__in=set(case_ids)).order_by("pk"))
    if not cases:
        raise NotFound("There is no such case.")
    if len(cases) < len(set(case_ids)):
        raise NotFound("Some of these cases are not there.")
    if len(cases) > MOST_CASES:
        raise invalid(opened_from=f"At most {MOST_CASES} cases fit into one file. Narrow the days.")
    if shut := next((why for case in cases if (why := personal.why_shut(case, actor)[0])), ""):
        raise Forbidden(shut)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=actor.pk)
        if selectors.exports_under_way(actor).count() >= MOST_UNDER_WAY:
            raise Conflict(f"{MOST_UNDER_WAY} of your files are being made. Wait until one is ready.")
        export = CaseExport.objects.create(
            asked_by=actor, reason=reason, case_ids=[case.pk for case in cases], with_papers=with_papers
        )
        audit.record(
            "caseexport.asked",
            subject=export,
            actor=actor,
            reason=reason,
            source=source,
            after={"cases": [case.reference for case in cases], "with_papers": with_papers},
        )
        told = {"export": str(export.pk), "with_papers": with_papers}
        audit.record_each("case.exported", ((case, told) for case in cases), actor=actor, source=source)
        ring(TASK, export.pk, queue="bulk")
    return export


def export_link(actor: User, export: CaseExport) -> str:
    """What a link to the file ends with: of this person and this file, for some minutes."""
    return signing.dumps([str(actor.pk), str(export.pk)], salt=SALT)


def export_fetch(*, actor: User, export_id: UUID, token: str, source: str = "page") -> CaseExport:
    """The file a link names, about to be sent; that it was taken is recorded.

    Raises Forbidden, also while the data of a case's people is shut away by now, NotFound and Gone.
    """
    export = selectors.export_for(actor, export_id)
    try:
        named = signing.loads(token, salt=SALT, max_age=LINK_SECONDS)
    except signing.SignatureExpired as error:
        raise Gone("This link has run out. Go back, reload the page and follow the new one.") from error
    except signing.BadSignature as error:
        raise NotFound("There is no such file.") from error
    if named != [str(actor.pk), str(export.pk)]:
        raise NotFound("There is no such file.")
    if export.status != CaseExport.Status.READY or (export.expires_at and export.expires_at <= clock.now()):
        raise Gone("This file was removed. Ask for it again.")
    for case in Case.objects.filter(pk__in=export.case_ids).order_by("pk"):
        personal.require_open(case, actor)
    audit.record(
        "caseexport.fetched",
        subject=export,
        actor=actor,
        source=source,
        after={"sha256": export.sha256, "cases": len(export.case_ids)},
    )
    return export
