"""JSON, YAML and TOML as trees that know where everything stands, within bounds of size, depth and number."""
