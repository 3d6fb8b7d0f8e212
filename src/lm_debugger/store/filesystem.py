"""Whether a path lies on another machine, by the mounts that Linux tells of; elsewhere every path counts as local."""

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")

NETWORK = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "wekafs"),
        *("fuse.ceph", "fuse.glusterfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "fuse.davfs"),
    }
)


def on_network(path: Path, mounts: Path = MOUNTS) -> bool:
    """Whether the file system that holds a path is another machine's."""
    return kind(path, mounts) in NETWORK


def kind(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of the file system that holds a path, such as `ext4`, or "" if that is not known."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
        place = path.resolve()
    except OSError:
        return ""
    found, depth = "", -1
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mounted = Path(_unescaped(fields[1]))
        # The last of several mounts on one folder is the one that is seen.
        if len(mounted.parts) >= depth and place.is_relative_to(mounted):
            found, depth = fields[2], len(mounted.parts)
    return found


def _unescaped(text: str) -> str:
    """A mount point as it is: spaces and such are written as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda digits: chr(int(digits[1], 8)), text)
