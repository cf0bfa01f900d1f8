"""What an assessment tells its company: gates, measures, the way to the next tier, and exports."""
