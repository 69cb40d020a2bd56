"""How long a browser test waits: longer on a machine that has much else to do."""

import os


def milliseconds(seconds: float) -> float:
    """Return a time limit of ``seconds`` on an idle machine, stretched by what runs now, four times at most."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * 1000 * min(max(busy, 1.0), 4.0)
