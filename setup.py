"Packaging: everything is read from settings.ini."
import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

root = Path(__file__).parent
config = ConfigParser(delimiters=["="])
config.read(root / "settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]


def lines(name: str) -> list[str]:
    return [line.strip() for line in cfg[name].splitlines() if line.strip()]


def description() -> str:
    "README.md with links that work outside of the repository."
    file = root / "README.md"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    raw = cfg["git_url"].replace("github.com", "raw.githubusercontent.com")
    text = re.sub(r"(!\[[^]]*\]\()(?!https?:|#)", rf"\g<1>{raw}/{cfg['branch']}/", text)
    return re.sub(r"(?<!!)(\[[^]]*\]\()(?!https?:|#)", rf"\g<1>{cfg['git_url']}/blob/{cfg['branch']}/", text)


setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=description(),
    long_description_content_type="text/markdown",
    keywords=cfg["keywords"],
    url=cfg["git_url"],
    project_urls={
        "Documentation": cfg["doc_host"] + cfg["doc_baseurl"],
        "Changelog": f"{cfg['git_url']}/blob/{cfg['branch']}/CHANGELOG.md",
        "Issues": f"{cfg['git_url']}/issues",
        "Source": cfg["git_url"],
    },
    classifiers=lines("classifiers"),
    author=cfg["author"],
    author_email=cfg["author_email"],
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["videopure", "videopure.*"]),
    package_data={"videopure": cfg["package_data"].split()},
    python_requires=">=" + cfg["min_python"],
    install_requires=lines("requirements"),
    extras_require={extra: lines(extra + "_requirements") for extra in ("text", "widgets", "all", "dev")},
    entry_points={
        "console_scripts": lines("console_scripts"),
        "nbdev": [f"{cfg['lib_name']}={cfg['lib_path']}._modidx:d"],
    },
    zip_safe=False,
)
