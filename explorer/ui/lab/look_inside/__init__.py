"""The parts of the page *Look inside*. None of them loads torch: a worker process answers all requests."""
