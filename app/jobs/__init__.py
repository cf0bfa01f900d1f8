"""The job queue on PostgreSQL: work that is due after a commit, done once or again until done."""
