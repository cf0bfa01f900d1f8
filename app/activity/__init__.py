"""Who saw and did what: each trader's own record, and the auditors' over all of them."""
