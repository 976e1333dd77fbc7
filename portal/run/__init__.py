"""What starts the product: the embedded database, development secrets, the supervisor, the test database."""
