"""Context 语境信息: NGSI-LD (ETSI GS CIM 009), typed entities as a second face over what is sensed."""

FACES = ("/ngsi-ld/v1",)
