"""Files that staff attached to cases: they go with the account the case is about; about none, in their own time.

A case names its subject by a model's label and a key. Which of these lead to an application, onboarding and the apps
after it say (onboarding/dossier/anchors.py, `Holder.ways`).
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from compliance.models import Case, CaseFile
from onboarding import discarded
from onboarding.dossier import anchors
from onboarding.models import Application, DataRequest
from onboarding.privacy import elsewhere

#: Asking for one's data is about the person, not one application: such a case outlives each.
_OF_PERSON = DataRequest._meta.label_lower


def erase_of_subjects(subjects: Collection[UUID]) -> int:
    """Remove what was attached to cases about an application that is erased; how many files."""
    rows = CaseFile.objects.filter(case__subject_id__in=list(subjects))
    return erase(rows.exclude(case__subject_type=_OF_PERSON))


def erase(files: QuerySet[CaseFile]) -> int:
    """Remove the rows, and the files once the caller's transaction is kept; how many."""
    found = list(files)
    discarded.discard_paths([row.path for row in found])
    CaseFile.objects.filter(pk__in=[row.pk for row in found]).delete()
    return len(found)


def of_nobody(before: datetime) -> QuerySet[CaseFile]:
    """What was attached to cases done before then whose subject belongs to no application that is still kept."""
    rows = CaseFile.objects.filter(case__status__in=Case.DONE, case__status_at__lte=before)
    for model, way in {**anchors.ways(), **elsewhere.ways()}.items():
        subjects = model._default_manager.filter(pk=OuterRef("case__subject_id"))
        if model is Application:
            kept = subjects.filter(erased_at=None)
        else:
            kept = subjects.filter(**{f"{way}__isnull": False, f"{way}__erased_at": None})
        rows = rows.exclude(Q(Exists(kept), case__subject_type=model._meta.label_lower))
    return rows
