"""Channels 消息通道: messages by inbox, e-mail, SMS, webhook, WeCom or DingTalk, delivered at least once."""
