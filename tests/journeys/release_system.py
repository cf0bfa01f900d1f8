"""A release system of the agency: a program with a token, and nothing but the contract's names."""

import base64
import json
import secrets
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any


class ReleaseSystem:
    """Talks to the internal API with the credentials that the demonstration hands out."""

    def __init__(self, home: Path) -> None:
        self._client = json.loads((home / "demo-client.json").read_text())
        self._base = self._client["base_url"]
        self._token = self._ask_for_token()

    def _ask_for_token(self) -> str:
        pair = f"{self._client['client_id']}:{self._client['client_secret']}"
        request = urllib.request.Request(
            self._client["token_url"],
            data=urllib.parse.urlencode({"grant_type": "client_credentials"}).encode(),
            headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()},
        )
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)
        assert found["expires_in"] <= 600
        return found["access_token"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def status(self, importer_number: str, *, min_seq: int = 0) -> dict[str, Any]:
        """One partner's standing, read the singular and the plural way, which must agree."""
        one = self.call("GET", f"/partners/ior/{importer_number}/status?min_seq={min_seq}")
        identifier = {"scheme": "ior", "value": importer_number}
        (many,) = self.call("POST", "/statuses", {"identifiers": [identifier]})["statuses"]
        assert many["answer"] == one["answer"]
        assert many["standings"] == one["standings"]
        return one

    def decide(self, importer_number: str, *, holds: tuple[str, ...] = ()) -> dict[str, Any]:
        """The decision on one new shipment of the importer."""
        transaction = {
            "transaction_id": f"T-{secrets.token_hex(8)}",
            "mode": "ocean",
            "entry_type": "01",
            "port": "2704",
            "arrival_at": "2026-12-01T08:00:00Z",
            "parties": [{"role": "importer", "scheme": "ior", "value": importer_number}],
            "lines": [
                {
                    "hts": "9403609000",
                    "origin": "VN",
                    "value_usd": "48210.00",
                    "quantity": "640",
                    "uom": "NO",
                }
            ],
            "risk_score": 120,
            "holds": list(holds),
        }
        (decision,) = self.call("POST", "/decisions", {"transactions": [transaction]})["decisions"]
        assert decision["transaction_id"] == transaction["transaction_id"]
        assert decision["reasons"]
        return decision
