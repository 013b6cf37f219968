"""What happens in video: cameras are kept and found, pictures handed out, streams watched."""
