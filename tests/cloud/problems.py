"""What of findings keeps a deploy from going through."""

from tasks.findings import not_well


def problems(found):
    """Give what is wrong, and what mends it, a line each; nothing where all is well."""
    return [finding.problem for finding in not_well(found)]
