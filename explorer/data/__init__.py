"""Images and weights as files and arrays: read, checked, kept. Nothing in here loads torch."""
