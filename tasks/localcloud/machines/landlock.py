"""Landlock: the kernel refuses every write of this process and its descendants outside a few trees.

It watches creating, writing, truncating, renaming and removing. It does not watch chmod, chown and utime.
Source: Linux, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from tasks.localcloud.machines import syscalls

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_WRITE_FILE = 1 << 1
_REMOVE_DIR_TO_MAKE_SYM = sum(1 << bit for bit in range(4, 13))
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_OF_A_FILE = _WRITE_FILE | _TRUNCATE

_libc = ctypes.CDLL(None, use_errno=True)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """Give the version of the kernel's Landlock, 0 when it has none or it is switched off."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)))


def confine_writes(trees: Iterable[Path]) -> None:
    """Refuse all writes but those in `trees` (folders or single files), for this process and all that come from it.

    :raises OSError: when the kernel has no Landlock.
    """
    writes = _writes(version())
    ruleset_value = ctypes.c_uint64(writes)
    ruleset = _libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset_value), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "Landlock is not available")
    try:
        for tree in trees:
            _allow(ruleset, tree, writes)
        syscalls.renounce_privileges()
        if _libc.syscall(_RESTRICT_SELF, ruleset, 0) < 0:
            raise OSError(ctypes.get_errno(), "Landlock refused to confine the process")
    finally:
        os.close(ruleset)


def _writes(abi: int) -> int:
    since_2 = _REFER if abi >= 2 else 0
    since_3 = _TRUNCATE if abi >= 3 else 0
    return _WRITE_FILE | _REMOVE_DIR_TO_MAKE_SYM | since_2 | since_3


def _allow(ruleset: int, tree: Path, writes: int) -> None:
    allowed = writes if tree.is_dir() else writes & _OF_A_FILE
    parent = os.open(tree, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(allowed=allowed, parent=parent)
        if _libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0) < 0:
            raise OSError(ctypes.get_errno(), f"Landlock refused the rule for {tree}")
    finally:
        os.close(parent)
