"""The filters of the list of cases: read from an address, and drawn, once for what the address says."""

from dataclasses import dataclass
from functools import lru_cache

from django.http import QueryDict
from django.utils.safestring import SafeString

from compliance.desk import Options
from compliance.forms import CaseFilterForm
from compliance.selectors import CaseFilter
from portal.templatetags.ui_forms import form_fields
from portal.ui.drawing import component, remembered

#: A field's name and what the address gives for it.
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Filters:
    """What an address chooses: `held` are the filters that hold, as the address has them."""

    chosen: CaseFilter
    held: Pairs
    given: Pairs


def read(given: QueryDict, options: Options) -> Filters:
    """The filters of an address, as a person with these options may set them."""
    pairs = tuple((name, given[name]) for name in CaseFilterForm.base_fields if name in given)
    return _read(pairs, options)


@lru_cache(maxsize=512)
def _read(given: Pairs, options: Options) -> Filters:
    form = CaseFilterForm(dict(given), options=options)
    chosen = form.chosen()
    held = [(name, str(form.cleaned_data[name])) for name in form.fields if form.cleaned_data.get(name)]
    return Filters(chosen, tuple(held), given)


@remembered(256)
def panel(*, given: Pairs, options: Options, url: str) -> SafeString:
    """The form of the filters; `url` is the list without any."""
    fields = form_fields(CaseFilterForm(dict(given), options=options))
    return component("filter_panel", content=fields, is_open=True, action=url, clear_url=url)
