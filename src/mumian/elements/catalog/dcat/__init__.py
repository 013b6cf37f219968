"""DCAT: the catalogue as linked data after DCAT 3 and DCAT-AP 3, in Turtle, JSON-LD and RDF/XML."""
