"""Runs the real programs for the integration tests."""
