"""Configuration of `make lab`: JupyterLab opens the notebooks without marking them as modified.

As soon as JupyterLab opens a notebook, it writes into it which kernel runs it, down to the last digit of Python's version. A notebook
that says this already is not changed. The files here cannot say it, because readers have other Pythons; so it is added on the way.
"""

from copy import deepcopy

from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager


class Notebooks(AsyncLargeFileManager):
    "The files of the folder; notebooks of Python with what JupyterLab would write into them."

    async def get(self, path: str, *args: object, **kwargs: object) -> dict[str, object]:
        model = await super().get(path, *args, **kwargs)
        if model["type"] == "notebook" and model["content"]:
            metadata = model["content"]["metadata"]
            name = metadata.get("kernelspec", {}).get("name")
            if name in KernelSpecManager().find_kernel_specs() and (spec := KernelSpecManager().get_kernel_spec(name)).language == "python":
                metadata["kernelspec"] = {"display_name": spec.display_name, "language": spec.language, "name": name}
                metadata["language_info"] = deepcopy(IPythonKernel.language_info)
        return model


c.ServerApp.contents_manager_class = Notebooks  # noqa: F821
