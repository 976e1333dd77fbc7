"""The platform app."""

from importlib import import_module

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        """What needs the settings and the models, which exist only now.

        Our Celery application becomes the current one in every process, the web's included: without it a task would
        be sent to Celery's own default broker. Then the receivers that audit sign-ins, the gauges,
        and workers' signs of life.
        """
        for name in ("portal.celery", "portal.auth.trail", "portal.gauges", "portal.worker_life"):
            import_module(name)
