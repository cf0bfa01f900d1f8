"""The agency console: the queue, cases, requests for information, determinations, the register."""
