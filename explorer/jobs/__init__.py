"""Work for child processes: the requests, the queue before them, and the processes' entry points."""
