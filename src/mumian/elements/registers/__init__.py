"""Registers 基础库: one record of each person, legal person, place or licence, out of those of many departments."""
