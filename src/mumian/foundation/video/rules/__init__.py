"""Decisions of video that need neither store nor clock: codes, views, health, schedules, areas."""
