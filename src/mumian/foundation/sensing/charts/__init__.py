"""Charts: a stream over any span in as many points as a screen has, without reading more into memory than a bounded part."""
