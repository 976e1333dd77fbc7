"""How people look at the list of cases: the columns of each, and views kept under a name."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from portal import ids


class ListColumns(models.Model):
    """The columns a person chose for the list; without a row, the usual ones."""

    user = models.OneToOneField(
        "portal.User", primary_key=True, on_delete=models.CASCADE, related_name="case_columns"
    )
    columns = ArrayField(models.CharField(max_length=20))

    def __str__(self) -> str:
        return ", ".join(self.columns)


class SavedView(models.Model):
    """Filters and order of the list under a name: one's own, or shared by a manager with everybody."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    owner = models.ForeignKey(
        "portal.User", on_delete=models.CASCADE, related_name="case_views", db_index=False
    )
    name = models.CharField(max_length=60)
    #: As it stands in the address, filters that hold alone.
    query = models.CharField(max_length=500, blank=True)
    is_shared = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="case_view_name_once")]
        indexes = [
            models.Index(fields=["name"], condition=models.Q(is_shared=True), name="case_view_shared"),
        ]

    def __str__(self) -> str:
        return self.name
