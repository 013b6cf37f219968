"""Forms 一次填报: what is known is filled in already, only the rest is asked, and each value keeps its one source."""
