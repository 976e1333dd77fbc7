"""The platform: settings, users, audit, sealed fields, state machines, outbox. It knows no provider and no customer."""
