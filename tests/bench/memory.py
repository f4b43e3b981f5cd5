"""Peak memory of this process."""

import resource
from pathlib import Path


def peak() -> float:
    """Return the peak in MB, from /proc: getrusage includes the parent's memory before exec."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
