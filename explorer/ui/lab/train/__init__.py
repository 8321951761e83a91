"""The page Train: what is set before a run, the run as it goes on, races, and the history of all runs."""
