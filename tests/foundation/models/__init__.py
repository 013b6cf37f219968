"""Tests of models and of the text classifiers among them."""
