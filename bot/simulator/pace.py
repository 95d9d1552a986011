"""Meta's pair limit and the throughput of a number, as token buckets. Pure: the time comes in as an argument."""

from dataclasses import dataclass

PAIR_BURST = 45
PAIR_SECONDS = 6.0


@dataclass(slots=True)
class Bucket:
    """`burst` tokens at most, one more every `seconds` (Meta: cloud-api/overview, pair rate limits)."""

    burst: float
    seconds: float
    tokens: float = -1.0
    since: float = 0.0

    def take(self, now: float) -> bool:
        """Takes a token if there is one."""
        if self.tokens < 0:
            self.tokens, self.since = self.burst, now
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.since) / self.seconds)
        self.since = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
