"""Two kinds of import contract that may name a module before it exists; `.importlinter` uses them.

A room's plan is known before all of it is written. A module listed under `planned_modules` is guarded from the moment it
appears; once it has, it may move to the ordinary list, where import-linter also notices when it is renamed or removed.
"""

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain import fields
from importlinter.domain.imports import ModuleExpression


def _present(expressions: set[ModuleExpression] | None, graph: ImportGraph) -> set[ModuleExpression]:
    return {expression for expression in expressions or set() if expression.expression in graph.modules}


class PlannedForbiddenContract(ForbiddenContract):
    """`forbidden`, for `source_modules` (must exist) and for those of `planned_modules` that exist."""

    type_name = "planned_forbidden"

    planned_modules = fields.SetField(subfield=fields.ModuleExpressionField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Check as `forbidden` does; a module only planned breaks nothing."""
        # import-linter declares a field on the class and puts the parsed value on the instance under the same name.
        parsed = vars(self)
        parsed["source_modules"] = parsed["source_modules"] | _present(parsed["planned_modules"], graph)
        return super().check(graph, verbose)


class PlannedProtectedContract(ProtectedContract):
    """`protected`, where protected modules and allowed importers may be missing as yet."""

    type_name = "planned_protected"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Check as `protected` does those modules that exist."""
        parsed = vars(self)
        for option in ("protected_modules", "allowed_importers"):
            parsed[option] = list(_present(set(parsed[option]), graph))
        return super().check(graph, verbose)
