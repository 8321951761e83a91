"""Tests of explorer/views."""
