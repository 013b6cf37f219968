"""The device ledger 物联设备台账: every device of the city's sensing system from its plan to its retirement."""
