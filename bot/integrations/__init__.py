"""The business's own systems: calls of flows go out from here, and news of consents and subjects."""
