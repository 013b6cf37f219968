"""The decisions of lineage: what SQL says of columns, and what OpenLineage events say."""
