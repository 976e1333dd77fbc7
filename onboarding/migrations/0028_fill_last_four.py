"""The last four of the tax numbers that are there already, a batch at a time and again after an interruption.

What the code before this one writes meanwhile has none: `rotate_keys --every-row` gives it one.
"""

from typing import Any

from django.db import migrations, transaction

BATCH = 500


def fill(apps: Any, editor: Any) -> None:
    for name in ("Owner", "Entity"):
        model = apps.get_model("onboarding", name)
        lacking = model.objects.filter(tax_id__isnull=False, tax_id_last4="").order_by("pk")
        after = None
        while True:
            with transaction.atomic():
                page = lacking if after is None else lacking.filter(pk__gt=after)
                rows = list(page.select_for_update().only("pk", "tax_id")[:BATCH])
                # The index follows the number while that is loaded (portal/sealed.py).
                model.objects.bulk_update(rows, ["tax_id_last4"])
            if not rows:
                break
            after = rows[-1].pk


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("onboarding", "0027_last_four")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
