"""From a tool on the host to a `Parcel`, or to the reason why it cannot be one."""
