"""Reports for the tests of formats: one by hand with both ends, and a strategy for any."""

from __future__ import annotations

from hypothesis import strategies as st

from mirrorlint.fleet import BlindSpot
from mirrorlint.report.checkout import Checkout
from mirrorlint.rule import Finding, MirrorFate, Note, Report
from mirrorlint.source import Place

ROOT = Checkout("/repo", "/repo")
BOTH = ("1.27", "1.28")
MIRROR_PLACE = Place("clusters/prod/vs.yaml", 17, 15, 17, 40)
HOSTS_PLACE = Place("clusters/stage/vs.yaml", 10, 7, 10, 22)
LOST = Finding(
    place=HOSTS_PLACE,
    rule="shadow-host-not-accepted",
    level="error",
    message="no virtual host of stage's gateway accepts `shop-shadow`",
    cluster="stage",
    object="VirtualService default/shop",
    worlds=BOTH,
    notes=(Note("this mirror sends its shadows there", "prod", MIRROR_PLACE),),
)
STRAY = Finding(
    place=Place("clusters/prod/dr.yaml", 4, 3, 6, 1),
    rule="misspelt-field",
    level="warning",
    message="`hots` is no field of a DestinationRule",
    cluster="prod",
    object="DestinationRule default/shop",
    worlds=BOTH,
    notes=(),
)
SPOT = BlindSpot("the chart is not rendered", "charts/shop", 0, "stage")
MIRROR = MirrorFate(MIRROR_PLACE, "prod", "VirtualService default/shop", "stage-gateway.example.com:80", dict.fromkeys(BOTH, "none"))
REPORT = Report((STRAY, LOST), (SPOT,), (MIRROR,), files=2, documents=3)

TEXT = st.text(max_size=30) | st.text(alphabet="ab:,%=;\"'<>&[]{}()\\ \t\n\r\x00\x1b\x85\u2028\ud800\ufffe名😀", max_size=40)
PATHS = st.sampled_from(["a.yaml", "../b/c.yaml", "./d e.yaml", "/f.yaml"]) | TEXT.filter(lambda path: "\0" not in path)
PLACES = st.builds(
    lambda path, line, column, lines, columns: Place(path, line, column, line + lines, column + columns),
    PATHS,
    *[st.integers(1, 99)] * 2,
    *[st.integers(0, 9)] * 2,
)
NOTES = st.lists(st.builds(Note, TEXT, TEXT, PLACES), max_size=3).map(tuple)
WORLDS = st.sampled_from([BOTH, BOTH[:1], BOTH[1:]])
FINDINGS = st.builds(
    Finding,
    PLACES,
    TEXT.filter(bool),
    st.sampled_from(["error", "warning"]),
    TEXT,
    TEXT,
    TEXT,
    WORLDS,
    NOTES,
    fix=st.just(()),
    members=st.just(()),
)
DELIVERIES = st.dictionaries(st.sampled_from(BOTH), st.sampled_from(["all", "some", "none", "unknown"]))
REPORTS = st.builds(
    Report,
    st.lists(FINDINGS, max_size=4).map(tuple),
    st.lists(st.builds(BlindSpot, TEXT, PATHS | st.just(""), st.integers(0, 9), TEXT), max_size=3).map(tuple),
    st.lists(st.builds(MirrorFate, PLACES, TEXT, TEXT, TEXT, DELIVERIES), max_size=3).map(tuple),
)
CHECKOUTS = st.sampled_from([ROOT, Checkout("/repo", "/repo/below/it"), Checkout("/", "/")])
