"""The work of a scan: what depends on what, which results are known already, and who does the rest."""
