"""What the MCP client library does in a way of its own."""
