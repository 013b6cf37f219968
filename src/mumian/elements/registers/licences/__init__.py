"""E-licences 电子证照: issued, renewed, suspended, revoked, and verified by anybody who holds the code."""
