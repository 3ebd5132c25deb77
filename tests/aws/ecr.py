"""What an image in ECR is called: moto puts a digest together from those of the layers."""

import hashlib

from moto.ecr.models import Image

Image.get_image_digest = lambda self: "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()
