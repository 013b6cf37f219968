"""Quality as SensorThings shows it: the names of an observation's flags."""

FLAGS: dict[str, int] = {
    "OUT_OF_RANGE": 1,
    "STUCK": 2,
    "SPIKE": 4,
    "CLOCK_DRIFT": 8,
    "AFTER_GAP": 16,
    "MANUAL": 32,
}


def names_of(flags: int) -> list[str]:
    """The names of the bits that are set."""
    return [name for name, bit in FLAGS.items() if flags & bit]
