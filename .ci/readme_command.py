"""Write the README's sh block number N (from 1) to standard output."""

import re
import sys
from pathlib import Path

text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
sys.stdout.write(
    re.findall(r"^```sh\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)[int(sys.argv[1]) - 1]
)
