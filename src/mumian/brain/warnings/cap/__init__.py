"""CAP 公共预警协议: warnings go out as CAP 1.2 messages with an Atom feed, and those of other alerting authorities come in."""
