"""What a visit is worth as time goes by, and what each kind of visit is worth beside the others.

Weights are kept by forward decay (Cormode, Shkapenyuk, Srivastava and Xu, "Forward Decay: A Practical Time Decay Model
for Streaming Systems", ICDE 2009): a visit at time t adds 2^((t - LANDMARK) / HALF_LIFE) and is never touched again.
Sums can therefore be made in any order, and shares of two sums need no clock; `faded` turns a sum into visitors of now.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

LANDMARK: Final = datetime(2020, 1, 1, tzinfo=UTC)
HALF_LIFE: Final = timedelta(days=60)
# A purchase says more than a look.
WORTH: Final = "(values ('bought', 1.0::float8), ('tried', 0.5), ('viewed', 0.5)) as worth(kind, worth)"


def added(moment: str) -> str:
    """SQL: what a visit at this moment adds to a sum."""
    seconds = f"extract(epoch from {moment} - timestamptz '{LANDMARK.isoformat()}')::float8"
    return f"power(2::float8, {seconds} / {HALF_LIFE.total_seconds()})"


def faded(now: datetime) -> float:
    """The factor that makes a sum count visits of `now` as one and those a half-life older as a half."""
    return float(2.0 ** -((now - LANDMARK) / HALF_LIFE))
