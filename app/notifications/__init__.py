"""Messages to people: an outbox row in the business transaction, sent by a job after the commit."""
