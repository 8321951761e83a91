"""The parts of the page Train: settings before a run, the running run, races, and the history of all runs."""
