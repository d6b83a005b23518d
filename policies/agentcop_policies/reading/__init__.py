"""From the text of a policy to its document: parse, lay over, shape, check; every problem with its line."""
