"""What a message wants of us before any flow sees it: stop, and the rights and ways out that go with it (privacy.md 4.3).

Pure and bounded. `understand` is the whole interface; language data stands in `languages/`, one readable file each.
"""

from bot.domain.intent import NO_INTENT, Decision, Intent
from bot.privacy.intents.matcher import LANGUAGES, start_word, stop_word, stop_words, understand

__all__ = ["LANGUAGES", "NO_INTENT", "Decision", "Intent", "start_word", "stop_word", "stop_words", "understand"]
