"""Search for better tables: studies over Optuna whose trials are training plans, with controls and a claim."""
