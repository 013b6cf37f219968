"""Opening 数据开放: datasets for everybody, as files and APIs, on CKAN's face, checked before and listened to after."""

FACES = ("/api/3", "/api/action")
