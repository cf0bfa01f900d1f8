"""One filled-in catalogue: answers, their history, the evidence beside them, and what is missing."""
