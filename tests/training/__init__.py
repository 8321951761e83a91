"""Tests of explorer/training."""
