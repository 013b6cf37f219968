"""The work of models: keeping versions, learning from texts, and answering."""
