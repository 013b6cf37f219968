"""Tests of opening the stores; what each port must do is in tests/compliance."""
