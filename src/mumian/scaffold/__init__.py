"""Scaffold: begins new services and checks all of them against the rules of the house."""
