"""Channels: messages reach people and systems, whatever the way, or it is seen that they did not."""
