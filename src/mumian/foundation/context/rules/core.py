"""The terms of the NGSI-LD core @context (ETSI GS CIM 009, annex B), which no other context may give another meaning."""

CORE_ADDRESS = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
CORE_PATTERN = r"https?://uri\.etsi\.org/ngsi-ld/v1/ngsi-ld-core-context(-v\d+\.\d+)?\.jsonld"
NGSI_LD = "https://uri.etsi.org/ngsi-ld/"
GEOJSON = "https://purl.org/geojson/vocab#"
VOCABULARY = "https://uri.etsi.org/ngsi-ld/default-context/"
PREFIXES = {"ngsi-ld": NGSI_LD, "geojson": GEOJSON}

_SAME = """
Attribute AttributeList ContextSourceIdentity ContextSourceNotification ContextSourceRegistration Date DateTime EntityType
EntityTypeInfo EntityTypeList GeoProperty JsonProperty LanguageProperty ListProperty ListRelationship Notification Property
Relationship Subscription TemporalProperty Time VocabProperty accept attributeList attributeName attributeNames attributeTypes
attributes attrs avg cacheDuration contextSourceAlias contextSourceExtras contextSourceInfo contextSourceTimeAt
contextSourceUptime cooldown createdAt csf data datasetId deletedAt detail distinctCount endAt endTimeAt endpoint entities entity
entityCount entityId entityList error errors expandValues expiresAt format geoQ geoproperty georel idPattern information
instanceId isActive join jsonKeys jsons lang languageMaps lastFailure lastNotification lastSuccess linkedMaps localOnly location
management managementInterval max min mode modifiedAt notUpdated notification notificationTrigger notifiedAt notifierInfo
objectsLists observationInterval observationSpace observedAt omit operationSpace operations pick propertyNames q reason
receiverInfo refreshRate registrationId registrationName relationshipNames scope scopeQ showChanges startAt status stddev
subscriptionId subscriptionName success sum sumsq sysAttrs temporalQ tenant throttling timeAt timeInterval timeout timeproperty
timerel timesFailed timesSent totalCount triggerReason typeList typeName typeNames unchanged unitCode updated uri valueLists
vocabs watchedAttributes
""".split()
_OTHER = {
    "containedBy": "isContainedBy",
    "dataset": "hasDataset",
    "entityMap": "hasEntityMap",
    "joinLevel": "hasJoinLevel",
    "json": "hasJSON",
    "key": "hasKey",
    "languageMap": "hasLanguageMap",
    "object": "hasObject",
    "objectList": "hasObjectList",
    "objectType": "hasObjectType",
    "objects": "hasObjects",
    "previousJson": "hasPreviousJson",
    "previousLanguageMap": "hasPreviousLanguageMap",
    "previousObject": "hasPreviousObject",
    "previousObjectList": "hasPreviousObjectList",
    "previousValue": "hasPreviousValue",
    "previousValueList": "hasPreviousValueList",
    "previousVocab": "hasPreviousVocab",
    "value": "hasValue",
    "valueList": "hasValueList",
    "values": "hasValues",
    "vocab": "hasVocab",
}
_GEOJSON = """
Feature FeatureCollection GeometryCollection LineString MultiLineString MultiPoint MultiPolygon Point Polygon bbox coordinates
features geometry geometryProperty properties
""".split()
TERMS: dict[str, str] = {
    **{term: NGSI_LD + term for term in _SAME},
    **{term: NGSI_LD + name for term, name in _OTHER.items()},
    **{term: GEOJSON + term for term in _GEOJSON},
    "description": "http://purl.org/dc/terms/description",
    "title": "http://purl.org/dc/terms/title",
}

VALUE_KEYS = {
    "Property": "value",
    "GeoProperty": "value",
    "Relationship": "object",
    "LanguageProperty": "languageMap",
    "JsonProperty": "json",
    "VocabProperty": "vocab",
    "ListProperty": "valueList",
    "ListRelationship": "objectList",
}
SYSTEM = ("createdAt", "modifiedAt")
RESERVED = frozenset(
    {"id", "type", "observedAt", "unitCode", "datasetId", "instanceId", "lang", "objectType", "expiresAt", "deletedAt", "entity"}
    | {"entityList", "previousValue", "previousObject", "previousLanguageMap", "previousJson", "previousVocab"}
    | {"previousValueList", "previousObjectList", *VALUE_KEYS.values(), *SYSTEM}
)
GEOMETRIES = frozenset({"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"})
LOCATION = NGSI_LD + "location"
NULL = "urn:ngsi-ld:null"
