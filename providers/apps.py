"""The providers app."""

import logging
from importlib import import_module

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"
    verbose_name = "Providers"

    def ready(self) -> None:
        # urllib3 writes filled paths and query values at DEBUG and WARNING; our own call log writes
        # templates only.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        import_module("providers.gauges")  # its models exist only now
        inbox, routing = import_module("providers.inbox"), import_module("providers.bakkt.routing")
        inbox.register("bakkt", routing.ByKind())
        revealing = import_module("portal.revealing")
        selectors = import_module("providers.selectors")
        inbox, plaid = import_module("providers.inbox"), import_module("providers.plaid.events")
        inbox.register("plaid", plaid.PlaidEvents())
        revealing.register(revealing.Field(selectors.BODY, "Body of a webhook", selectors.holder_of_body))
