"""Journeys: what people do with Mumian in a real browser."""
