"""The NGSI-LD face: paths, media types and parameters of ETSI GS CIM 009, clause 6, over HTTP."""
