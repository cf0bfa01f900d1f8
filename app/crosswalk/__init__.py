"""What was said and shown in one programme, offered to another one and never copied unasked."""
