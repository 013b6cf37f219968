"""Tests of people, sessions, tokens and policies."""
