"""Demo: replays a city's real data through the doors that devices and officers use, so that the whole loop can be watched."""
