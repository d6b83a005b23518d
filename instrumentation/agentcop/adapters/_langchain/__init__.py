"""What LangChain does in a way of its own."""
