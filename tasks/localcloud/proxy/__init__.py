"""The one Envoy behind every load balancer, and the neutral words in which it is told what to do."""
