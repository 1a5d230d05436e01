"""The rollout: what a deploy must do next, and doing it. Knows the outside only through ports."""
