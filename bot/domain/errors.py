"""The errors a caller is expected to tell apart; each class says what to do about it."""


class RecadoError(Exception):
    """Root of everything Recado raises on purpose; its text never holds personal data."""


class RetryLater(RecadoError):
    """Something outside is not available now; the same call may succeed later and repeating it is safe."""


class Unreadable(RecadoError):
    """A stored value cannot be decrypted or understood; nothing was changed, and retrying will not help."""


class IllegalMove(RecadoError):
    """A state machine does not know this trigger in this state; nothing was changed."""


class PolicyRefusal(RecadoError):
    """The rules say no. Nothing is broken, so nothing is retried and nobody is paged."""


class SettingsProblem(RecadoError):
    """An operator's setting is missing, unknown or unsafe; the text names it and says what to write instead."""
