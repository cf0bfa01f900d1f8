"""Advance data: batches of filings as importers send them, with the mistakes that happen."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.formats import FORMATS
from app.advance_data.models import Batch, Filing
from app.advance_data.rows import COLUMNS
from app.advance_data.service import (
    Channel,
    check_batch,
    fail_batch,
    measure_batch,
    receive_batch,
    start_batch,
    tell_voyage,
)
from app.advance_data.service.measuring import amended_by
from app.demo import numbers
from app.demo.cast import Company
from app.demo.delegating import acting_for_clients
from app.demo.messages import messages, workbook
from app.demo.script import Script
from app.demo.stage import Stage
from app.demo.texts import read
from app.jobs.queue import WORKER
from app.kernel.identifiers import Scheme
from app.work import Work

CLEAN = 0.35
BAD = 0.045
REPLACED = 0.02
DELETED = 0.01
SEA_CARRIERS = ("MAEU", "COSU", "ONEY", "HLCU", "MSCU", "OOLU", "CMDU", "EGLV")
PORTS = ("2704", "2709", "2811", "4601", "1703", "1401", "5301", "3001", "1601", "1303", "2002")
FORWARDERS = (
    *("Pacific Lantern Logistics Ltd", "Bluewater Consolidators Co", "Meridiaan Forwarding BV"),
    *("Golden Bridge CFS Ltd", "Nordwind Spedition GmbH"),
)
STRAY_QUOTE = '"Metal fittings, 12" long'


@dataclass(frozen=True, slots=True)
class Shipment:
    """One batch of one company: how many rows, and whether its file breaks off in the middle.

    `through` is the broker that files it for the company. `form` is the format of the file; of
    messages, `reasons` says what they leave open, and `arrives_in` after how many days the broker
    told the ship to arrive, if it did.
    """

    company: Company
    number: int
    rows: int
    broken: bool = False
    through: Company | None = None
    form: str = "csv"
    reasons: str = "C"
    arrives_in: int | None = None

    @property
    def filename(self) -> str:
        """As a logistics system would call its export."""
        return f"isf_{self.company.key}_{self.number:03}.{self.form}"


def send(script: Script, days: float, shipment: Shipment) -> None:
    """The company uploads the file, and the worker checks it a little later."""
    script.add(days, partial(_send, shipment=shipment))


def _send(stage: Stage, *, shipment: Shipment) -> None:
    company = shipment.company
    content = file_of(shipment, stage.clock.now().date())
    sender = shipment.through or company
    with stage.work(by=sender.preparer.key) as work:
        batch_id = receive_batch(
            work if shipment.through is None else acting_for_clients(work),
            stage.trader(work, company.key),
            stream=io.BytesIO(content),
            filename=shipment.filename,
            channel=Channel.FILE if shipment.number % 3 else Channel.API,
        ).id
    stage.clock.advance(timedelta(seconds=4))
    try:
        with stage.work() as work:
            worker = replace(work, actor=WORKER)
            batch = work.session.get_one(Batch, batch_id)
            start_batch(worker, batch)
            check_batch(worker, batch, FORMATS[batch.media_type].read(io.BytesIO(content)))
            _count(worker, batch)
        if shipment.arrives_in is not None:
            _tell_arrival(stage, sender, shipment, batch_id)
    except FileRefusedError as refusal:
        with stage.work() as work:
            worker = replace(work, actor=WORKER)
            batch = work.session.get_one(Batch, batch_id)
            start_batch(worker, batch)
            fail_batch(worker, batch, refusal)


def _count(work: Work, batch: Batch) -> None:
    """What the worker does afterwards: count this file, and those whose filings it amends."""
    measure_batch(work, batch)
    for one in amended_by(work, batch):
        measure_batch(work, work.session.get_one(Batch, one))


def _tell_arrival(stage: Stage, sender: Company, shipment: Shipment, batch_id: UUID) -> None:
    """Every second ship's arrival is told; the others are not, as it happens."""
    with stage.work(by=sender.preparer.key) as work:
        acting = acting_for_clients(work)
        filings = work.session.scalars(
            select(Filing).where(Filing.batch_id == batch_id).order_by(Filing.file_row)
        ).all()
        for filing in filings[::2]:
            leaves = work.now + timedelta(days=2)
            tell_voyage(
                acting,
                filing,
                departs_at=leaves,
                arrives_at=work.now + timedelta(days=shipment.arrives_in or 0),
                key=work.new_id(),
            )
        _count(replace(work, actor=WORKER), work.session.get_one(Batch, batch_id))


def file_of(shipment: Shipment, day: date) -> bytes:
    """The bytes of the file, the same each time."""
    if shipment.form == "csv":
        return _csv_of(shipment, day)
    rows = list(csv.DictReader(io.StringIO(_csv_of(shipment, day).decode())))
    if shipment.form == "xlsx":
        return workbook(rows)
    sender = shipment.through or shipment.company
    added = [row for row in rows if row["action"] == "A"]
    return messages(added, sender.identifier(Scheme.FILER), day, shipment.reasons)


def _csv_of(shipment: Shipment, day: date) -> bytes:
    random = shipment.company.random(f"batch/{shipment.number}")
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    # Many files are clean; the others have more than their share.
    bad = 0.0 if random.random() < CLEAN else BAD
    for number in range(1, shipment.rows + 1):
        row = _row(shipment, number, day, random)
        if random.random() < bad:
            _spoil(row, random)
        writer.writerow(row)
        if shipment.broken and number == shipment.rows // 2:
            out.write(f"{row['filing_ref']}-B,{STRAY_QUOTE},{'x,' * 8}\n")
    return out.getvalue().encode()


def _row(shipment: Shipment, number: int, day: date, random: Random) -> dict[str, str]:
    company = shipment.company
    goods = read("goods")["goods"][company.goods]
    hts, unit, cheap, dear, least, most = random.choice(goods["items"])
    name, address, town, country, lading = random.choice(goods["factories"])
    importer = company.identifier(Scheme.IOR)
    quantity = random.randint(least, most)
    short = "".join(one for one in company.key.upper() if one.isalpha())[:4]
    reference = f"{short}-{shipment.number:03}-{number:04}"
    drawn = random.random()
    if shipment.number > 1 and drawn < REPLACED + DELETED:
        # Something in the batch before was wrong, or was never shipped.
        reference = f"{short}-{shipment.number - 1:03}-{number:04}"
        if drawn < DELETED:
            return {"filing_ref": reference, "action": "D", "importer_number": importer}
    house = random.random() < 0.4  # noqa: PLR2004 - two in five travel under a house bill.
    return {
        "filing_ref": reference,
        "action": "R" if drawn < REPLACED + DELETED and shipment.number > 1 else "A",
        "importer_number": importer,
        "consignee_number": importer,
        "bill_type": "BM" if house else "OB",
        "bill_number": random.choice(SEA_CARRIERS) + numbers.digits(random, 10),
        "container_number": numbers.container(random),
        "hts": hts,
        "country_of_origin": country,
        "mf_name": name,
        "mf_address": address,
        "mf_city": town,
        "mf_country": country,
        "mf_duns": numbers.duns(random) if random.random() < 0.3 else "",  # noqa: PLR2004
        "mid": numbers.manufacturer_code(country, name, address, town),
        "seller_name": name,
        "buyer_name": company.name,
        "ship_to_name": f"{company.name}, {company.town}",
        "stuffing_country": country if lading[:2] == country else lading[:2],
        "consolidator_name": random.choice(FORWARDERS) if house else name,
        "port_lading": lading,
        "port_unlading": random.choice(PORTS),
        "etd": (day + timedelta(days=random.randint(2, 12))).isoformat(),
        "value_usd": f"{quantity * random.uniform(cheap, dear):.2f}",
        "quantity": str(quantity),
        "uom": unit,
    }


def _spoil(row: dict[str, str], random: Random) -> None:
    """One of the mistakes that people and their systems make."""
    if row["action"] == "D":
        row["filing_ref"] += "X"
        return
    column, wrong = random.choice(_MISTAKES)
    row[column] = wrong(row[column], random)


def _other_digit(text: str, _random: Random) -> str:
    return text[:-1] + str((int(text[-1]) + 1) % 10)


def _american_date(text: str, _random: Random) -> str:
    year, month, day = text.split("-")
    return f"{month}/{day}/{year}"


_MISTAKES: Final[tuple[tuple[str, Callable[[str, Random], str]], ...]] = (
    ("container_number", _other_digit),
    ("importer_number", lambda text, _: text.replace("-", "")),
    ("importer_number", lambda _, random: numbers.importer_number(random)),
    ("hts", lambda text, _: text.replace("0", "O", 1)),
    ("country_of_origin", lambda _text, _random: "UK"),
    ("country_of_origin", lambda text, _: "VN" if text == "CN" else "CN"),
    ("bill_number", lambda text, _: f"{text[:4]} {text[4:]}"),
    ("mf_name", lambda _text, _random: ""),
    ("value_usd", lambda text, _: f"{float(text):,.2f}"),
    ("etd", _american_date),
    ("quantity", lambda text, _: f"{text}.5"),
)
