"""What papers we asked for do to the lines of an application: who has the ball, what the customer is told, the list.

Read from the application's own row, which onboarding/document_requests.py keeps counted.
"""

from dataclasses import replace
from datetime import UTC, datetime, time

from django.db.models import Q
from django.utils.formats import date_format

from onboarding.models import Application, ProviderAccount
from onboarding.told import Standing
from portal import clock
from portal.ball import Ball

Status = Application.Status
Account = ProviderAccount.Status

#: Where a paper that is asked for decides whom the application waits on. A draft, a correction and the identity check
#: wait for the customer anyway.
COUNTS = (Status.HELD, Status.SUBMITTED, Status.RECEIVED, Status.IN_REVIEW, Status.APPROVED)
#: The choices of the staff list.
FILTERS = {"asked": "Waits for papers or answers", "overdue": "Papers overdue", "to_check": "Papers to check"}


def _counts(application: Application) -> bool:
    account: ProviderAccount | None = getattr(application, "account", None)
    ended = account is not None and account.status in {Account.CLOSED, Account.DOCUMENTS_NEEDED}
    return application.status in COUNTS and not ended


def ball(application: Application) -> Ball | None:
    """The ball, where papers we asked for decide it."""
    if not _counts(application):
        return None
    since = application.papers_since or application.status_at
    if application.papers_asked and application.papers_due_on:
        line, doing = _asked(application.papers_asked, application.questions_asked)
        return Ball(
            "customer",
            line,
            since,
            doing,
            datetime.combine(application.papers_due_on, time(23, 59, 59), UTC),
        )
    if application.papers_to_check:
        return Ball(
            "us", "We are looking at the papers that came", since, "One of us accepts or rejects them"
        )
    return None


def _asked(every: int, questions: int) -> tuple[str, str]:
    """What the customer is waited for, and what they do about it."""
    if not questions:
        return (
            ("Waiting for a paper we asked for", "Uploading it")
            if every == 1
            else (f"Waiting for {every} papers we asked for", "Uploading them")
        )
    if questions == every:
        return (
            ("Waiting for the answer to our question", "Answering it")
            if every == 1
            else (f"Waiting for the answers to {every} questions of ours", "Answering them")
        )
    return f"Waiting for papers and answers: {every} that we asked for", "Sending them"


def told(application: Application, found: Standing) -> Standing:
    """The customer's standing, with what we asked for in it."""
    if not _counts(application) or not application.papers_asked or not application.papers_due_on:
        return found
    day = date_format(application.papers_due_on, "j F Y")
    late = application.papers_due_on < clock.now().date()
    only_questions = application.questions_asked == application.papers_asked
    if only_questions:
        sentence = (
            f"We still need an answer from you. It was due on {day}. What we ask stands below."
            if late
            else f"We need an answer from you by {day}. What we ask stands below."
        )
    else:
        what = "papers and answers" if application.questions_asked else "papers"
        sentence = (
            f"We still need {what} from you. They were due on {day}. Which ones, and why, stands below."
            if late
            else f"We need {what} from you by {day}. Which ones, and why, stands below."
        )
    if found.next_kind not in {"wait", "none", "upload_documents"}:
        return replace(found, body=(*found.body, sentence))
    return replace(
        found,
        body=(sentence, *found.body),
        tone="warning",
        next_kind="answer_questions" if only_questions else "upload_documents",
        next_title="Answer our question" if only_questions else "Upload the papers",
    )


def by_papers(choice: str) -> Q:
    """The filter of one of FILTERS."""
    match choice:
        case "overdue":
            return Q(papers_asked__gt=0, papers_due_on__lt=clock.now().date())
        case "to_check":
            return Q(papers_to_check__gt=0)
        case _:
            return Q(papers_asked__gt=0)


def waits_on(holder: str, by_status: Q) -> Q:
    """The list's filter by whom an application waits on, for those its status alone would count as `by_status`."""
    counts = Q(status__in=COUNTS)
    asked = counts & Q(papers_asked__gt=0)
    to_check = counts & Q(papers_asked=0, papers_to_check__gt=0)
    match holder:
        case "customer":
            return by_status | asked
        case "us":
            return (by_status & ~asked) | to_check
        case _:
            return by_status & ~asked & ~to_check
