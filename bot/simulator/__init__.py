"""A stand-in for Meta: the Graph API, its webhooks, and the phones of invented people.

Written from Meta's documents alone. It imports nothing of the framework, so that what both sides agree on is the platform and not each other.
"""

from bot.simulator.errors import Fault
from bot.simulator.people import Bubble, Person
from bot.simulator.settings import Action, SimulatorSettings
from bot.simulator.simulator import Simulator
from bot.simulator.templates import Template, TemplateButton

__all__ = ["Action", "Bubble", "Fault", "Person", "Simulator", "SimulatorSettings", "Template", "TemplateButton"]
