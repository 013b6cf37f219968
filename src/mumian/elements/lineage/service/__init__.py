"""The work of lineage: recording, finding ways, and telling others."""
