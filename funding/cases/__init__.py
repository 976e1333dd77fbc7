"""What funding sends to a person: each module is one kind of case, with its evidence and what decisions do."""
