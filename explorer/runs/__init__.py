"""Training runs in the background: a queue, a child process per run, and what they leave in the data directory."""
