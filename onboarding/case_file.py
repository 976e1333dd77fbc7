"""What an application adds to the file of a case about it, or about anything that belongs to it."""

from collections.abc import Callable
from io import BytesIO
from uuid import UUID

from compliance.casefile.content import rows
from compliance.casefile.hooks import Contribution, File
from compliance.models import Case, CaseFact
from onboarding import audit_subjects, questions
from onboarding.models import Document
from portal import audit
from portal.ui.plain import name_words

NOT_SAFE = "The malware scan does not let it be opened."


def contribution_of(subject_type: str) -> Callable[[UUID], Contribution]:
    """What there is to tell of a subject of that type: of its whole application, masked, with every paper."""

    def tell(subject_id: UUID) -> Contribution:
        application = audit_subjects.application_of(subject_type, subject_id)
        return _of(application) if application else Contribution()

    return tell


def _of(application: UUID) -> Contribution:
    data = {}
    for model, route in audit_subjects.ROUTES:
        found = rows(model._default_manager.filter(**{route: application}).order_by("pk"))
        if found:
            data[name_words(str(model._meta.verbose_name_plural))] = [audit.masked(row) for row in found]
    papers = Document.objects.filter(application=application).order_by("pk")
    return Contribution(
        data=data, papers=[_paper(paper) for paper in papers], audit=audit_subjects.belongings([application])
    )


def answers(case: Case) -> list[File]:
    """What customers answered to the case's questions, word for word: as with papers, an examination needs it."""
    facts = CaseFact.objects.filter(case=case).order_by("pk").values_list("dedupe", flat=True)
    found = questions.said(list(facts))
    return [_answer(key, one.words.reveal()) for key, one in found.items()]


def _answer(key: str, words: str) -> File:
    content = words.encode()
    return File(name="answer.txt", size=len(content), open=lambda: BytesIO(content))


def _paper(paper: Document) -> File:
    return File(
        name=f"{paper.type}-{paper.side}-{paper.status}.{paper.extension}".lower(),
        size=paper.size,
        open=paper.open,
        sha256=paper.sha256,
        left_out="" if paper.is_safe else NOT_SAFE,
    )
