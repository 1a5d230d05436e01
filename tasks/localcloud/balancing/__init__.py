"""Load balancers as their two services know them: Cloud Load Balancers v1.0 and Octavia v2."""
