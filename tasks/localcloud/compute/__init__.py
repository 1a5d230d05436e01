"""Compute: the project's servers, images, keypairs and limits, by rules that know nothing of HTTP."""
