"""The figures we claim, each measured against a baseline in the same run."""
