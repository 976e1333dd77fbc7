"""What somebody typed into a step and has not saved yet."""

from django.db import models

from onboarding.models.applications import Application
from portal import clock, ids
from portal.sealed import SealedJSONField


class StepEntries(models.Model):
    """A step as it stands in somebody's fields: checked by nothing, counted by nothing, sent to nobody.

    It ends with the step's next save. Half-typed numbers are as private as whole ones, hence sealed altogether.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="entries")
    #: Whose step it is; empty for steps of the account as a whole.
    owner = models.ForeignKey(
        "Owner", on_delete=models.CASCADE, null=True, blank=True, related_name="entries"
    )
    name = models.CharField(max_length=32)
    #: By the names of the questions, as they were typed.
    entries = SealedJSONField()
    version = models.PositiveIntegerField(default=1)
    #: The open page that wrote it last; it may write again without having seen its own version.
    writer = models.CharField(max_length=40, blank=True)
    kept_at = models.DateTimeField(default=clock.now)
    kept_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "step entries"
        constraints = [
            models.UniqueConstraint(
                fields=["application", "owner", "name"], name="step_entries_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"entries of {self.name} v{self.version}"
