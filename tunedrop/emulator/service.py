"""One stand-in: its world and the state machines that share it."""

from tunedrop.emulator.arm.deployments import Deployments
from tunedrop.emulator.arm.routes import ManagementPlane
from tunedrop.emulator.openai.chat import Chat
from tunedrop.emulator.openai.files import Files
from tunedrop.emulator.openai.jobs import Jobs
from tunedrop.emulator.openai.routes import DataPlane
from tunedrop.emulator.world import Config, World


class Service:
    """Everything behind the HTTP surface."""

    def __init__(self, config: Config) -> None:
        self.world = World(config)
        self.files = Files(self.world)
        self.jobs = Jobs(self.world, self.files)
        self.deployments = Deployments(self.world)
        self.data_plane = DataPlane(
            self.world, self.files, self.jobs, Chat(self.world, self.deployments)
        )
        self.management_plane = ManagementPlane(self.world, self.deployments)

    def advance(self) -> None:
        """Bring every thing to where its pace says it is now."""
        self.files.advance()
        self.jobs.advance()
        self.deployments.advance()
