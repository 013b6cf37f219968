"""Foundation 数字新基础: what everything else in the city stands on."""
