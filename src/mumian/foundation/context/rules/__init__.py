"""Rules of context: names, shapes, changes, queries and their answers, decided from what is given and nothing else."""
