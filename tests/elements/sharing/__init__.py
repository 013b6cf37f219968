"""Tests of sharing: applications, grants, delivery and exchange."""
