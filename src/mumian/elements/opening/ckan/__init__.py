"""CKAN's Action API v3, as ckanapi and other clients speak it: https://docs.ckan.org/en/latest/api/."""
