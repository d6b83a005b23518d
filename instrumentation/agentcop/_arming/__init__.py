"""How a process is armed by its environment: who is exempt, when a framework is imported, and what is done then."""
