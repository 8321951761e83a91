"""Tests of explorer/data."""
