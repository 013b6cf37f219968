"""Services 智慧新应用: the applications of departments, one folder each."""
