"""What happens with jobs."""
