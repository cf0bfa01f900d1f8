"""Commands about the register: take-on of existing partners, export, urgent suspension."""

import csv
import getpass
import hashlib
import json
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import Progress
from sqlalchemy import func, select

from app.advance_data.csv_export import formula_safe
from app.cli.runtime import RefusedError, Runtime, runtime
from app.kernel.errors import DomainError, NotReadyError
from app.kernel.identifiers import Scheme
from app.register import service
from app.register.models import RegisterEntry
from app.register.programme import PROGRAMMES, Status
from app.register.service import TakeOn
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.traders.queries import verified_identifiers
from app.traders.service import take_on_trader

COLUMNS = (
    "trader_name",
    "entity_type",
    "identifiers",
    "programme",
    "tier",
    "status",
    "valid_from",
    "valid_to",
    "reason",
)
SCHEMES = {str(scheme): scheme for scheme in Scheme}
Row = dict[str, str]


class RowRefusedError(ValueError):
    """A row of the file that cannot be read; its text says why and never repeats an identifier."""


@click.group()
def register() -> None:
    """The register of partners."""


@register.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def take_on(file: Path) -> None:
    """Take on partners from another system (CSV or NDJSON); refused rows are named by line.

    Each row is a transaction of its own, so that good rows do not wait for bad ones; a row that
    was taken on before is refused, so the same file can be sent again.
    """
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    rows = list(_read(file))
    refused: list[tuple[int, str]] = []
    with runtime() as run, Progress(transient=True) as progress:
        for line, row in progress.track(rows, description="Taking on"):
            try:
                _take_on(run, row, digest)
            except NotReadyError as refusal:
                found = [one.message % dict(one.params) for one in refusal.problems]
                refused.append((line, " ".join(dict.fromkeys(found))))
            except DomainError as refusal:
                refused.append((line, refusal.message % refusal.params))
            except RowRefusedError as refusal:
                refused.append((line, str(refusal)))
    click.echo(f"{len(rows) - len(refused)} of {len(rows)} rows taken on.")
    for line, why in refused:
        click.echo(f"line {line}: {why}")
    if refused:
        raise RefusedError(f"{len(refused)} rows were refused.")


@register.command(name="export")
def export() -> None:
    """Write every entry that the register knows now, as CSV in the columns of `import`."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    with runtime() as run, run.work() as work:
        entries = work.session.execute(
            select(RegisterEntry, Trader)
            .join(Trader, Trader.id == RegisterEntry.trader_id)
            .where(func.upper_inf(RegisterEntry.recorded))
            .order_by(Trader.name, Trader.id, RegisterEntry.programme, RegisterEntry.seq)
        ).all()
        for entry, trader in entries:
            held = verified_identifiers(work.session, trader.id)
            out.writerow(
                (
                    formula_safe(trader.name),
                    str(trader.entity_type),
                    ";".join(f"{one.scheme}:{one.shown}" for one in held),
                    entry.programme,
                    entry.tier or "",
                    entry.status,
                    _instant(entry.valid.lower),
                    _instant(entry.valid.upper),
                    formula_safe(entry.reason_text),
                )
            )


@register.command(name="suspend")
@click.argument("partner", type=click.UUID)
@click.option("--reason", required=True, help="Code of a reason of the programme.")
@click.option("--text", default="", help="What the trader is told, in a sentence.")
@click.option("--programme", default="security", type=click.Choice(sorted(PROGRAMMES)))
def suspend(partner: uuid.UUID, reason: str, text: str, programme: str) -> None:
    """Suspend a partner at once; a supervisor's countersignature is due within 24 hours."""
    with runtime() as run, run.work() as work:
        made = service.suspend_urgently(
            work,
            partner,
            programme=programme,
            reason_code=reason,
            reason_text=text or "Suspended urgently from the command line.",
            os_account=getpass.getuser(),
        )
    click.echo(f"Suspended by {made.reference}, in force as seq {made.seq}.")


def _read(file: Path) -> Iterator[tuple[int, Row]]:
    """Line numbers and rows; `RefusedError` when the file is not of the contract's columns."""
    text = file.read_text("utf-8-sig")
    if file.suffix.lower() in {".ndjson", ".jsonl"}:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield number, {key: str(value or "") for key, value in json.loads(line).items()}
        return
    reader = csv.DictReader(text.splitlines(), strict=True)
    missing = sorted(set(COLUMNS) - set(reader.fieldnames or ()))
    if missing:
        raise RefusedError(f"Columns are missing: {', '.join(missing)}.")
    for row in reader:
        yield reader.line_num, {key: (row[key] or "").strip() for key in COLUMNS}


def _take_on(run: Runtime, row: Row, digest: str) -> None:
    try:
        kind = EntityType.of(row["entity_type"])
        status = Status(row["status"])
        tier = int(row["tier"]) if row["tier"] else None
        since, until = _date(row["valid_from"]), _date(row["valid_to"])
        identifiers = [_identifier(one) for one in row["identifiers"].split(";") if one.strip()]
    except (KeyError, ValueError) as error:
        raise RowRefusedError(f"Cannot be read: {type(error).__name__}.") from None
    if since is None:
        raise RowRefusedError("Give valid_from.")
    with run.work() as work:
        trader = take_on_trader(
            work, name=row["trader_name"], entity_type=kind, identifiers=identifiers
        )
        service.import_entry(
            work,
            trader.id,
            TakeOn(
                programme=row["programme"],
                status=status,
                tier=tier,
                valid_from=since,
                valid_until=until,
                reason=row["reason"],
                file_sha256=digest,
                os_account=getpass.getuser(),
            ),
        )


def _identifier(text: str) -> tuple[Scheme, str]:
    scheme, _, value = text.strip().partition(":")
    return SCHEMES[scheme], value


def _date(text: str) -> datetime | None:
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _instant(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat()
