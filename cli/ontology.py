"""`laurel ontology`: the topics there are, what they are called, and which are part of which."""

import json
from pathlib import Path
from typing import Annotated

import typer

from laurel.cli.show import console
from laurel.cli.show_ontology import agreements, as_data, counts, measured, screen
from laurel.ingest import klout, posts
from laurel.ingest.measure_topics import agreement
from laurel.models.ontology import Ontology, OntologyError
from laurel.streams import ontology_file
from laurel.streams import settings as setting

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="write into this file, instead of printing")]


@app.callback()
def about() -> None:
    """Topics: ids, names in several languages, and which are part of which (docs/topics.md)."""


@app.command("import")
def import_ontology(
    source: Annotated[Path, typer.Argument(help="folder of Klout's CSV files, or a YAML file")], output: Output = None
) -> None:
    """Read an ontology of another form, and write it as laurel's YAML."""
    ontology = _read(source)
    _write(ontology_file.document(ontology), output)
    if output is not None:
        print(f"{output}: {counts(ontology)}")


@app.command()
def export(output: Output = None, as_json: AsJson = False) -> None:
    """Write the ontology in use (setting `ontology`), to be changed or used elsewhere."""
    ontology = ontology_file.load(setting.load().ontology)
    topics = [as_data(ontology, number) for number in range(len(ontology))] if as_json else []
    _write(json.dumps(topics) + "\n" if as_json else ontology_file.document(ontology), output)


@app.command()
def validate(
    source: Annotated[
        Path | None, typer.Argument(help="YAML file, or folder of Klout's CSV files; else the ontology in use")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether an ontology is sound: no cycles, no missing parents, nothing twice, no empty names."""
    ontology = ontology_file.load(setting.load().ontology) if source is None else _read(source)
    if as_json:
        languages = {language for topic in ontology.topics for language in topic.names}
        found = {
            "topics": len(ontology),
            "edges": len(ontology.child),
            "roots": [topic.id for topic in ontology.topics if not topic.parents],
            "languages": sorted(languages),
        }
        print(json.dumps(found))
    else:
        print(f"sound: {counts(ontology)}")


@app.command()
def show(
    topic: Annotated[str, typer.Argument(help="id, slug or name, in any of its languages")],
    language: Annotated[str, typer.Option(help="language of the names that are shown")] = "en",
    as_json: AsJson = False,
) -> None:
    """A topic's names, what it is part of, and what is part of it."""
    ontology = ontology_file.load(setting.load().ontology)
    found = ontology.find(topic)
    if as_json:
        print(json.dumps([as_data(ontology, number) for number in found]))
        return
    for number in found:
        console().print(screen(ontology, number, language))


@app.command()
def measure(
    file: Annotated[Path, typer.Argument(help="Posts.xml of a Stack Exchange site, gzipped or not")],
    as_json: AsJson = False,
) -> None:
    """Hold the topics that are read from posts' texts against the tags that people gave them."""
    ontology = ontology_file.load(setting.load().ontology)
    read = posts.read(file)
    kinds = {"questions": [p for p in read if p.is_question], "answers": [p for p in read if not p.is_question]}
    found = {kind: agreement(some, ontology) for kind, some in kinds.items()}
    if as_json:
        print(json.dumps({kind: measured(counts) for kind, counts in found.items()}))
    else:
        console().print(agreements(found))


def _read(source: Path) -> Ontology:
    return klout.read(source) if source.is_dir() else ontology_file.load(source)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise OntologyError(f"{output}: can't be written: {error}") from None
