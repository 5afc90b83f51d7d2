"""A shadow's way told hop by hop: what was decided, why, and where that is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mirrorlint.delivery.ending import HOW, breaking
from mirrorlint.delivery.follow import End, Way
from mirrorlint.delivery.gateway import Chain
from mirrorlint.delivery.ingress import addresses
from mirrorlint.delivery.match import Route
from mirrorlint.delivery.reason import ELSEWHERE, MIXED, UNKNOWN, UNKNOWN_PRIMARY
from mirrorlint.delivery.upstream import PLAINTEXT, Upstream
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.worlds import SUFFIX, SUFFIXED, shadow_host
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.names import subset_of
from mirrorlint.istio.virtual_service import Match
from mirrorlint.source import Node

