"""Training runs as data: plans, their validation, races and events. Nothing in here loads torch."""
