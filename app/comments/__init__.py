"""What colleagues say to each other about a question of the self-assessment."""
