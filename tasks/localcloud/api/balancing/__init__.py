"""The HTTP faces of the load balancers: Cloud Load Balancers v1.0 and Octavia v2."""
