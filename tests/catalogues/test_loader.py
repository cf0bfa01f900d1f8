"""The registry: what is current, what is pinned, and the hash that pins it."""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from app.catalogues.loader import SHIPPED, Catalogues, catalogues, load_catalogue, load_folder
from app.catalogues.model import UnknownIdError

IMPORTER = SHIPPED / "importer-2026.1.yaml"


def test_the_hash_is_over_the_bytes_and_changes_with_them(tmp_path: Path) -> None:
    raw = IMPORTER.read_bytes()
    assert load_catalogue(IMPORTER).sha256 == hashlib.sha256(raw).hexdigest()
    copy = tmp_path / "copy.yaml"
    copy.write_bytes(raw)
    assert load_catalogue(copy).sha256 == load_catalogue(IMPORTER).sha256
    copy.write_bytes(raw + b"# one comment more\n")
    assert load_catalogue(copy).sha256 != load_catalogue(IMPORTER).sha256


def later_version(tmp_path: Path, version: str, effective: str) -> Path:
    text = IMPORTER.read_text(encoding="utf-8")
    text = text.replace('version: "2026.1"', f'version: "{version}"', 1)
    path = tmp_path / f"importer-{version}.yaml"
    path.write_text(text.replace("effective: 2026-01-01", f"effective: {effective}", 1))
    return path


def test_current_is_the_newest_effective_version_and_old_ones_stay(tmp_path: Path) -> None:
    known = Catalogues(
        [
            load_catalogue(later_version(tmp_path, "2026.10", "2026-07-01")),
            load_catalogue(IMPORTER),
            load_catalogue(later_version(tmp_path, "2026.9", "2026-07-01")),
        ]
    )
    assert known.current("security", "importer").version == "2026.10"
    assert known.current("security", "importer", date(2026, 7, 1)).version == "2026.10"
    assert known.current("security", "importer", date(2026, 6, 30)).version == "2026.1"
    assert known.get("importer", "2026.1").sha256 == load_catalogue(IMPORTER).sha256
    assert [one.version for one in known] == ["2026.1", "2026.9", "2026.10"]
    with pytest.raises(UnknownIdError, match="2025-12-31"):
        known.current("security", "importer", date(2025, 12, 31))


def test_one_version_cannot_be_known_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        Catalogues([load_catalogue(IMPORTER), load_catalogue(IMPORTER)])


def test_what_is_not_known_is_named() -> None:
    known = load_folder(SHIPPED)
    with pytest.raises(UnknownIdError, match=r"importer 1\.0"):
        known.get("importer", "1.0")
    with pytest.raises(UnknownIdError, match="security for carrier"):
        known.current("security", "carrier")


def test_shipped_catalogues_are_read_once() -> None:
    assert catalogues() is catalogues()
    assert len(catalogues()) == len(list(SHIPPED.glob("*.yaml")))


def test_every_part_is_found_by_its_id() -> None:
    catalogue = load_catalogue(IMPORTER)
    for section in catalogue.sections:
        assert catalogue.section(section.id) is section
        for criterion in section.criteria:
            assert catalogue.criterion(criterion.id) is criterion
            assert catalogue.section_of(criterion.id) is section
            for question in criterion.questions:
                assert catalogue.question(question.id) is question
                assert catalogue.criterion_of(question.id) is criterion
    for profile in catalogue.profiles:
        assert catalogue.profile(profile.id) is profile
        assert catalogue.profile_for(profile.entity[0], profile.tier) is profile


def test_an_unknown_id_is_an_error_that_names_it() -> None:
    catalogue = load_catalogue(IMPORTER)
    for look_up in (
        catalogue.section,
        catalogue.criterion,
        catalogue.question,
        catalogue.profile,
        catalogue.section_of,
        catalogue.criterion_of,
    ):
        with pytest.raises(UnknownIdError, match="'99'"):
            look_up("99")
    with pytest.raises(UnknownIdError, match="broker, tier 1"):
        catalogue.profile_for("broker", 1)
