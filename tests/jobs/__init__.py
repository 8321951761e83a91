"""Tests of explorer/jobs."""
