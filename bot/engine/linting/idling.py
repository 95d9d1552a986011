"""`idle`: a reminder that comes too late to remind, or when only a template may be sent."""

from datetime import timedelta

from bot.domain.template_text import values_of
from bot.engine.linting.channel import WINDOW
from bot.engine.linting.look import Look
from bot.engine.problem import nearest


def check(look: Look) -> None:
    idle = look.flow.idle
    for name in ("after", "remind_after"):
        length = getattr(idle, name)
        if length is not None and length <= timedelta(0):
            look.error(
                "no-time", ("idle", name), f"`{name}` is no time at all.", "Write a length such as `20 minutes`."
            )
    if idle.remind_after is None:
        return
    if idle.remind_after >= idle.after:
        reason = "The flow is over before anybody is reminded."
        look.error("idle-late", ("idle", "remind_after"), reason, "Write a length below `after`.")
    if idle.remind_after >= WINDOW and not idle.template:
        reason = (
            "The 24-hour window is closed by then, so that nobody would be reminded (Meta: customer service window)."
        )
        look.error("idle-window", ("idle", "remind_after"), reason, "Name a `template`, or remind earlier.")
    _template(look)


def _template(look: Look) -> None:
    name = look.flow.idle.template
    if not name or look.business is None:
        return
    declared, where = look.business.templates.get(name), ("idle", "template")
    if declared is None:
        known = nearest(name, look.business.templates)
        look.error("unknown-template", where, f"There is no template called `{name}`.", known)
    elif any(values_of(body) for body in declared.languages.values()):
        reason = f"The template `{name}` wants values, and a reminder has none."
        look.error("template-values", where, reason, "Name a template without values.")
