"""Environment 生态环境: air quality from the stations' readings to the branch office that has to act."""
