"""The index of both numbers of the wire recipients that are there already, a batch at a time and again after an
interruption.

What the code before this one writes meanwhile has none: `rotate_keys --every-row` gives it one.
"""

from typing import Any

from django.db import migrations, transaction

BATCH = 500


def fill(apps: Any, editor: Any) -> None:
    model = apps.get_model("funding", "WireRecipient")
    lacking = model.objects.filter(numbers_index="").order_by("pk")
    after = None
    while True:
        with transaction.atomic():
            page = lacking if after is None else lacking.filter(pk__gt=after)
            rows = list(page.select_for_update().only("pk", "account_number", "routing_number")[:BATCH])
            # The index follows the numbers while they are loaded (portal/sealed.py).
            model.objects.bulk_update(rows, ["numbers_index"])
        if not rows:
            break
        after = rows[-1].pk


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("funding", "0014_shared_banks")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
