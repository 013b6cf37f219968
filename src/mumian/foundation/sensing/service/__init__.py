"""What sensing does: knows its streams, decides, records, folds into the lake, finds again, imports."""
