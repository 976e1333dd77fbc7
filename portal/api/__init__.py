"""What every REST endpoint shares: problem answers, idempotency keys, draft versions, cursors."""
