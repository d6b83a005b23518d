"""How the scan itself is used."""
