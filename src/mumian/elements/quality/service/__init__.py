"""What happens in quality: datasets are judged after loads and when time passes, tickets move, profiles suggest rules."""
