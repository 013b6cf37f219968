"""Understanding 文本理解: what a report says: category, place, time, urgency, emotion, and whether it is known."""
