"""Tests of explorer/live."""
