"""A stand-in for Meta: the Graph API, its webhooks, and phones of invented people in the browser and in the terminal.

Written from Meta's documents alone; it imports nothing else of this program, so any Cloud API client can be pointed at it
and it can drive any Cloud API bot. Everything is kept in memory and gone when it ends.
"""

from bot.simulator.chat import Bubble, Choice
from bot.simulator.errors import GraphError, SimulatorError
from bot.simulator.people import Person
from bot.simulator.server import STAGE, Simulator, create_app
from bot.simulator.settings import Action, SimulatorSettings
from bot.simulator.templates import Template, TemplateButton, read_template

__all__ = [
    "STAGE",
    "Action",
    "Bubble",
    "Choice",
    "GraphError",
    "Person",
    "Simulator",
    "SimulatorError",
    "SimulatorSettings",
    "Template",
    "TemplateButton",
    "create_app",
    "read_template",
]
