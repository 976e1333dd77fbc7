"""Who is given cases by themselves: how many at a time, of which kinds, and whether they are away."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from portal import clock

MOST_CAPACITY = 200


class Worker(models.Model):
    """How a person works on cases. Without a row nobody is given any, and nobody is away."""

    user = models.OneToOneField(
        "portal.User", primary_key=True, on_delete=models.CASCADE, related_name="case_worker"
    )
    #: So many at a time are given by themselves; 0 gives none.
    capacity = models.PositiveSmallIntegerField(default=0)
    #: The kinds they are given; empty for all.
    kinds = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    is_away = models.BooleanField(default=False)
    away_changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(capacity__lte=MOST_CAPACITY), name="worker_capacity_in_range"
            )
        ]

    def __str__(self) -> str:
        return f"up to {self.capacity} cases"

    def takes(self, kind: str) -> bool:
        """Whether cases of the kind are theirs to be given."""
        return not self.kinds or kind in self.kinds
