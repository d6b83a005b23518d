"""What a Python tree says: nodes by type, scopes, imports, constants, and who calls what as a tool."""
