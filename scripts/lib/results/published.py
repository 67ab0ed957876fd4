"""What the two papers publish: trainer/report/published.json, which `trainer report` shows too."""
import json
from pathlib import Path

FILE = Path(__file__).resolve().parents[3] / "trainer" / "report" / "published.json"
_ALL = json.loads(FILE.read_text())
HEADS = {model["head"]: model for model in _ALL["heads"]["models"]}
HEADS_SIZE = _ALL["heads"]["size"]
PATCHES = {("ResNet-18" if model["kind"] == "resnet18" else f"E = {model['experts']}"): model
           for model in _ALL["patches"]["models"]}
PATCHES_SIZE = _ALL["patches"]["size"]
