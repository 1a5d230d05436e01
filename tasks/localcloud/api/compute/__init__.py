"""The HTTP face of compute v2.1, and of the images that servers boot from."""
