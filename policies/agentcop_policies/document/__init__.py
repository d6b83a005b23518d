"""What a policy document consists of: sections, the shapes of their values, and the normal form of the whole."""
