"""Tests of explorer/export."""
