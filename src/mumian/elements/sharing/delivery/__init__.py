"""Bringing new rows to those who hold grants, and back to the districts they are about."""
