"""Exports of Claude."""
