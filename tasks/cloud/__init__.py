"""The clouds: identity, compute and load balancers over HTTP. JSON becomes values here, API errors become ours."""
