"""Standard addresses 标准地址库: parsed, normalised, matched, geocoded, with their history."""
