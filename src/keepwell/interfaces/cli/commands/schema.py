"""`keepwell schema`: the JSON Schema of model files, for editors."""

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.output import print_json
from keepwell.model.schema import json_schema


@app.command()
def schema() -> None:
    """Print the JSON Schema of model files, for completion and checks in editors."""
    print_json(json_schema())
