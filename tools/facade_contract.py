"""An import-linter contract: components meet only at their doors (api, contracts, events, kinds)."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class FacadeContract(Contract):
    """From outside `root.area.component` only `root.area.component.<door>` may be imported."""

    type_name = "facade"
    areas = fields.SetField(subfield=fields.StringField())
    doors = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Compare every direct import that crosses the wall of a component with the list of doors."""
        trespasses = []
        for importer in sorted(graph.modules):
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                component, door = self._split(imported)
                crosses = component is not None and not f"{importer}.".startswith(f"{component}.")
                if crosses and door not in self.doors:  # type: ignore[operator]
                    details = graph.get_import_details(importer=importer, imported=imported)
                    trespasses.append((importer, imported, sorted({detail["line_number"] for detail in details})))
        return ContractCheck(kept=not trespasses, metadata={"trespasses": trespasses})

    def _split(self, module: str) -> tuple[str | None, str]:
        parts = module.split(".")
        if len(parts) < 3 or parts[1] not in self.areas:  # type: ignore[operator]
            return None, ""
        return ".".join(parts[:3]), ".".join(parts[3:])

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each trespass with its lines."""
        for importer, imported, lines in check.metadata["trespasses"]:
            output.print_error(f"{importer} -> {imported} (l. {', '.join(map(str, lines))})", bold=False)
        output.new_line()
