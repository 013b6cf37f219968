"""What happens in opening: files are made, rows asked for, datasets examined, uses counted."""
