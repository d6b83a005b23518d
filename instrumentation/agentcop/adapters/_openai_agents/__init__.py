"""What the OpenAI Agents SDK does in a way of its own."""
