"""The four networks and the trunk that generator and camera share, as Keras functional models."""

from tf_wsgen.networks.camera import Camera
from tf_wsgen.networks.discriminator import Discriminator
from tf_wsgen.networks.encoder import Encoder
from tf_wsgen.networks.generator import Generator
from tf_wsgen.networks.trunk import Trunk

__all__ = ["Camera", "Discriminator", "Encoder", "Generator", "Trunk"]
