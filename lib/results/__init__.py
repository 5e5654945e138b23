"""Results of a run as JSON and as tables, their comparison and history."""
