"""The funding app: registers its operations, its webhooks and what it does about late answers."""

from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "funding"

    def ready(self) -> None:
        # Everything here needs the models, which exist only now.
        from funding import (  # noqa: PLC0415
            bank_events,
            bank_jobs,
            bank_reading,
            events,
            login_events,
            login_jobs,
            operations,
            reading,
            transfer_jobs,
            wiring,
        )
        from portal import outbox  # noqa: PLC0415
        from providers import expected  # noqa: PLC0415
        from providers.bakkt import routing  # noqa: PLC0415

        outbox.register(operations.TRANSFER, transfer_jobs.TransferSend())
        outbox.register(operations.LOGIN_READ, login_jobs.LoginRead())
        outbox.register(operations.OWNER_MATCH, login_jobs.OwnerMatching())
        outbox.register(operations.PROCESSOR_TOKEN, login_jobs.ProcessorToken())
        outbox.register(operations.LOGIN_REMOVE, login_jobs.LoginRemove())
        outbox.register(operations.LINK, bank_jobs.BankLink())
        outbox.register(operations.UNLINK, bank_jobs.BankUnlink())
        outbox.register(operations.LINK_LOOK_UP, bank_reading.LinkLookUp())
        routing.register(events.KIND, events.FiatEvents())
        routing.register(bank_events.KIND, bank_events.BankLinkEvents())
        login_events.register()
        expected.register(operations.FIAT_STATUS, reading.read)
        expected.register(operations.BANK_LINK, bank_reading.read)
        wiring.register()
