"""How a shadow can end."""

from __future__ import annotations

ARRIVES, STAYS, ELSEWHERE, UNKNOWN, MIXED = "arrives", "stays", "elsewhere", "unknown", "mixed"
UNKNOWN_PRIMARY = "unknown-primary"
UNKNOWN_TARGET = "unknown-target"
ORIGINAL_DESTINATION = "original-destination"
NO_ENDPOINT = "no-endpoint"
NO_LISTENER = "no-listener"
NO_FILTER_CHAIN = "no-filter-chain"
TLS_MISMATCH = "tls-mismatch"
CERTIFICATE_MISMATCH = "certificate-mismatch"
NO_VIRTUAL_HOST = "no-virtual-host"
NO_ROUTE = "no-route"
HTTPS_REDIRECT = "https-redirect"
REDIRECT = "redirect"
DIRECT_RESPONSE = "direct-response"
DENIED = "denied"
ABORT = "abort"
PASSED_ON = "passed-on"
LISTENER_SET = "listener-set"
UNKNOWN_DESTINATION = "unknown-destination"

UNJUDGED = frozenset({UNKNOWN, PASSED_ON, LISTENER_SET})
OUTCOMES = {ARRIVES: ARRIVES, STAYS: STAYS, **dict.fromkeys((ELSEWHERE, *UNJUDGED), ELSEWHERE)}  # every other reason is a loss
