"""Where alerts go out: one file a kind of channel. A sink sends one message once; retrying is `delivery`'s."""
