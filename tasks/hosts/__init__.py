"""The servers: SSH over their private IPs, with verified host keys."""
