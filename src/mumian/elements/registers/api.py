"""Registers for other components: `platform.get(Registers)` finds entities, shows golden records, and explains them."""

from mumian.elements.registers.contracts import Evidence, Looked, Model, Origin, Pair, Version
from mumian.elements.registers.service.deciding import Deciding
from mumian.elements.registers.service.explaining import Explaining, Known
from mumian.elements.registers.service.figures import Counting, Figures
from mumian.elements.registers.service.looking import Looking, SourceRow
from mumian.elements.registers.service.running import Running
from mumian.kernel.platform import Platform

__all__ = ["Evidence", "Figures", "Known", "Looked", "Model", "Origin", "Pair", "Registers", "SourceRow", "Version"]


class Registers:
    """`platform.get(Registers)`: `known(name)` gives the register that all else is asked of.

    `looking` reads golden records and the rows behind them through the gate; `explaining` tells why, without any value;
    `deciding` keeps what people say; `counting` gives figures; `running` brings registers up to date.
    """

    def __init__(self, platform: Platform, running: Running) -> None:
        self.running = running
        self.explaining = Explaining(platform)
        self.looking = Looking(platform, self.explaining)
        self.deciding = Deciding(platform, self.explaining)
        self.counting = Counting(platform)

    async def known(self, name: str) -> Known:
        """A declared register that has been matched; raises NotFound, NotYet."""
        return await self.explaining.known(name)
