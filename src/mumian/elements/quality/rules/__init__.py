"""Rules of quality: what each check asks in SQL, what scores say, when tickets move, what profiles suggest."""
