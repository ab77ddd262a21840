"""The commands about personal data: forget, rotate-key."""

from __future__ import annotations

from typing import Annotated

import typer

from loyalty.operate.cli.shared import the_workspace

app = typer.Typer()


@app.command(short_help="Erase a person everywhere, for good.")
def forget(
    customer_id: Annotated[str, typer.Argument(help="The customer's id in the source, or the e-mail address.")],
    source: Annotated[str | None, typer.Option(help="Only this source. Default: every source.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a person everywhere: landed and raw files, quarantine, marts, all older generations. For good.

    Orders stay as orders of a guest, so that totals hold. The exports themselves are yours to clean.
    """
    from loyalty.operate.erase import forget

    workspace = the_workspace()
    if not yes:
        typer.confirm("Erase this customer for good, and remove all older generations?", abort=True)
    forget(workspace, customer_id, source)


@app.command("rotate-key", short_help="Hash personal data with a new key from now on.")
def rotate_key() -> None:
    """Add a key: every keyed hash goes through it as well, so that equal addresses still meet.

    Use it when somebody may have seen the key. After an interruption run it again: it finishes its work.
    """
    from loyalty.operate.rotate import rotate_key

    rotate_key(the_workspace())
