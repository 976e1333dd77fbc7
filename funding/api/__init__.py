"""The customer's REST API about money: balances, transfers, wires, statements, notices."""
