"""Measurements of the performance that the project claims, each against a baseline in the same run."""
