"""Releases: the identified, built artifact of an app that every server gets."""
