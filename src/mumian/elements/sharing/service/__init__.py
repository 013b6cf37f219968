"""What happens in sharing: applying, granting, counting and proving, delivering, and what is watched."""
