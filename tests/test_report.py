"""The report: what people see, to the character, and what programs read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorlint import report as reports
from mirrorlint.fleet import BlindSpot
from mirrorlint.report import as_json, cells, clean, text, without_repeats
from mirrorlint.rule import Finding, MirrorFate, Note, Report
from mirrorlint.source import Place

SERVICE, ENTRY = "clusters/prod/vs.yaml", "clusters/prod/service-entry.yaml"
SOURCES = {
    SERVICE: [*[""] * 13, "      host: stage-gatway.example.com"],
    ENTRY: [*[""] * 8, "  - stage-gateway.example.com"],
}
BOTH = ("1.27", "1.28")
FINDING = Finding(
    place=Place(SERVICE, 14, 13, 14, 37),
    rule="mirror-to-unknown-host",
    level="error",
    message="`stage-gatway.example.com:80` is not a host of prod's registry: Envoy drops the shadow without a trace",
    cluster="prod",
    object="VirtualService default/httpbin",
    worlds=("1.27",),
    notes=(Note("did you mean this host?", "prod", Place(ENTRY, 9, 5, 9, 30)),),
)
MIRROR = MirrorFate(
    place=Place(SERVICE, 12, 9, 12, 20),
    cluster="prod",
    object="VirtualService default/httpbin",
    target="stage-gateway.example.com:80",
    delivery=dict.fromkeys(BOTH, "all"),
)
SCHEMA = json.loads((Path(reports.__file__).parent / "report.schema.json").read_text(encoding="utf-8"))
ESCAPES = re.compile("\x1b\\[[0-9;]*m")


def shown(report: Report, sources: dict[str, list[str]] | None = None, **options: Any) -> str:
    known = SOURCES if sources is None else sources
    return text.render(report, lambda path: known.get(path, ()), **options)


def body(finding: Finding, sources: dict[str, list[str]] | None = None, **options: Any) -> list[str]:
    """The lines of one finding, without the summary."""
    page = shown(Report((finding,), (), ()), sources, **options)
    return page.split("\n\n")[0].splitlines()


def marked(line: str, place: Place, width: int = 100) -> tuple[str, str]:
    """The source line as it is shown, and its marker's line."""
    finding = FINDING._replace(place=place, message="m", notes=(), worlds=BOTH)
    lines = body(finding, {place.path: [*[""] * (place.line - 1), line]}, width=width)
    return lines[3], lines[4]


def fates(*deliveries: tuple[str, ...]) -> str:
    """The summary's first words, for mirrors with these deliveries in the two worlds."""
    mirrors = tuple(MIRROR._replace(delivery=dict(zip(BOTH, delivery, strict=False))) for delivery in deliveries)
    return shown(Report((), (), mirrors)).partition(". ")[0]


def test_finding_with_a_note() -> None:
    assert shown(Report((FINDING,), (), (MIRROR,), files=12, documents=30)) == (
        "error[mirror-to-unknown-host]: `stage-gatway.example.com:80` is not a host of prod's registry: Envoy\n"
        "    drops the shadow without a trace\n"
        "  --> clusters/prod/vs.yaml:14:13 (prod, VirtualService default/httpbin)\n"
        "   |\n"
        "14 |       host: stage-gatway.example.com\n"
        "   |             ^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "   = with Istio up to 1.27\n"
        "  --> clusters/prod/service-entry.yaml:9:5 (prod)\n"
        "   |\n"
        " 9 |   - stage-gateway.example.com\n"
        "   |     ------------------------- did you mean this host?\n"
        "\n"
        "1 mirror arrives. 1 error (12 files, 30 documents).\n"
    )


def test_blind_spots_and_several_fates() -> None:
    spots = [
        BlindSpot("the chart is not rendered", "charts/x"),
        BlindSpot("no YAML", "a.yaml", 3),
        BlindSpot("one cluster only"),
        BlindSpot("no peer", cluster="stage"),
    ]
    lost = MIRROR._replace(delivery=dict.fromkeys(BOTH, "none"))
    assert shown(Report((), tuple(spots), (MIRROR, lost), 1, 1, 1)) == (
        "not judged: charts/x: the chart is not rendered\n"
        "not judged: a.yaml:3: no YAML\n"
        "not judged: one cluster only\n"
        "not judged: stage: no peer\n"
        "\n"
        "2 mirrors: 1 arrives, 1 is lost. 4 blind spots, 1 suppressed (1 file, 1 document).\n"
    )


def test_nothing_found() -> None:
    sound = Report((), (), (MIRROR, MIRROR), files=2, documents=1_000)
    assert shown(sound) == "2 mirrors arrive. No findings (2 files, 1,000 documents).\n"
    assert shown(Report((), (), ())) == "no mirrors found. No findings (0 files, 0 documents).\n"


@pytest.mark.parametrize(("findings", "hidden"), [((FINDING,), (0, 0)), ((), (1, 0)), ((), (0, 1))])
def test_mirrors_that_take_no_effect_are_not_called_absent_where_something_may_be_said_of_them(
    findings: tuple[Finding, ...], hidden: tuple[int, int]
) -> None:
    suppressed, baselined = hidden
    report = Report(findings, (), (), suppressed=suppressed, baselined=baselined)
    assert shown(report).splitlines()[-1].startswith("no mirror takes effect. ")


@pytest.mark.parametrize(
    ("deliveries", "words"),
    [
        ([("all", "all")], "1 mirror arrives"),
        ([("none", "none")] * 2, "2 mirrors are lost"),
        ([("some", "some")], "1 mirror arrives in part"),
        ([("unknown", "unknown")], "1 mirror is unknown"),
        ([("all", "none")], "1 mirror arrives only with Istio up to 1.27"),
        ([("none", "all")] * 2, "2 mirrors arrive only with Istio 1.28 and later"),
        ([("all",)], "1 mirror arrives"),
        ([("some", "all")], "1 mirror arrives in part"),
        ([("some", "none")], "1 mirror arrives in part"),
        ([("unknown", "all")], "1 mirror is unknown"),
        ([()], "1 mirror is unknown"),
        ([("none", "none"), ("some", "some"), ("all", "all")], "3 mirrors: 1 arrives, 1 in part, 1 is lost"),
        ([("none", "all"), ("unknown",)], "2 mirrors: 1 arrives only with Istio 1.28 and later, 1 is unknown"),
    ],
)
def test_fates_are_summed_up(deliveries: list[tuple[str, ...]], words: str) -> None:
    assert fates(*deliveries) == words


def test_unknown_mirrors_are_left_to_trace() -> None:
    unknown = MIRROR._replace(delivery={"1.27": "unknown", "1.28": "unknown"})
    hint = "`mirrorlint trace` shows where the unknown ones lead.\n"
    assert shown(Report((), (), (MIRROR, unknown))).endswith(hint)
    assert hint not in shown(Report((), (), (MIRROR,)))


def test_of_blind_spots_that_differ_in_names_alone_some_are_shown() -> None:
    spots = [BlindSpot(f"`app-{n}` of {n} is not read", f"{n}.yaml", 1) for n in range(1, 14)] + [BlindSpot("no YAML", "a.yaml", 3)]
    report = Report((), tuple(spots), ())
    first = [f"not judged: {n}.yaml:1: `app-{n}` of {n} is not read" for n in range(1, 11)]
    assert shown(report).splitlines()[:12] == [
        *first,
        "not judged: 3 more like the one above, which `-v` lists",
        "not judged: a.yaml:3: no YAML",
    ]
    assert "14 blind spots" in shown(report)
    assert shown(report, verbose=True).count("is not read") == 13


def test_verbose_tells_each_mirrors_delivery() -> None:
    same = MIRROR._replace(target="s:80")
    other = same._replace(delivery={"1.28": "none", "1.27": "some"})
    none = same._replace(object="", cluster="", delivery={})
    stays = same._replace(leads="stays")
    here = f"mirror: {SERVICE}:12:9"
    owned = f"{here} (prod, {MIRROR.object})"
    assert shown(Report((), (), (same, other, none, stays)), verbose=True, width=200).splitlines()[:4] == [
        f"{owned} to s:80 arrives with every Istio",
        f"{owned} to s:80 arrives in part with Istio up to 1.27, is lost with Istio 1.28 and later",
        f"{here} to s:80 is unknown",
        f"{owned} to s:80 stays in its own cluster",
    ]


def test_quiet_is_a_line_for_each_finding() -> None:
    warning = FINDING._replace(level="warning", message="two\nlines\x1b[31m", rule="r")
    report = Report((FINDING, warning), (BlindSpot("b"),), (MIRROR,))
    assert text.brief(report, SOURCES.__getitem__).splitlines() == [
        f"{SERVICE}:14:13: error[mirror-to-unknown-host]: {FINDING.message}",
        f"{SERVICE}:14:13: warning[r]: two␊lines␛[31m",
    ]


def test_quiet_tells_blind_spots_where_they_fail_the_run() -> None:
    report = Report((), (BlindSpot("not seen"),), (MIRROR,))
    assert text.brief(report, SOURCES.__getitem__) == ""
    assert text.brief(report, SOURCES.__getitem__, strict=True) == "not judged: not seen\n"


def test_worlds_are_told_when_not_both() -> None:
    assert "   = with Istio 1.28 and later" in body(FINDING._replace(worlds=("1.28",)))
    assert not any("Istio" in line for line in body(FINDING._replace(worlds=BOTH)))
    assert not any("Istio" in line for line in body(FINDING._replace(worlds=())))


def test_note_at_the_same_place_is_told_below_it() -> None:
    notes = (Note("and this", "prod", FINDING.place), Note("here too", "stage", FINDING.place))
    assert body(FINDING._replace(worlds=BOTH, notes=notes))[6:] == [
        "   = and this",
        "  --> clusters/prod/vs.yaml:14:13 (stage)",
        "   |",
        "14 |       host: stage-gatway.example.com",
        "   |             ------------------------ here too",
    ]


def test_unknown_source_lines() -> None:
    notes = (Note("a remark", "", Place("other.yaml", 1, 1, 1, 2)), Note("", "stage", Place(ENTRY, 100, 1, 100, 1)))
    assert body(FINDING._replace(message="m", notes=notes), {}) == [
        "error[mirror-to-unknown-host]: m",
        "   --> clusters/prod/vs.yaml:14:13 (prod, VirtualService default/httpbin)",
        "    = with Istio up to 1.27",
        "   --> other.yaml:1:1",
        "    = a remark",
        "   --> clusters/prod/service-entry.yaml:100:1 (stage)",
    ]


def test_long_label_stands_below_its_marker() -> None:
    note = Note("the entry that was meant, as its ports and its endpoints tell", "prod", Place(ENTRY, 9, 5, 9, 30))
    assert body(FINDING._replace(notes=(note,)), width=60)[-4:] == [
        " 9 |   - stage-gateway.example.com",
        "   |     -------------------------",
        "   |     the entry that was meant, as its ports and its",
        "   |     endpoints tell",
    ]


@pytest.mark.parametrize(
    ("line", "columns", "source", "marker"),
    [
        pytest.param("\tkey:\tvalue", (7, 12), "    key:    value", "            ^^^^^", id="tabs"),
        pytest.param("名前: 値 # x", (5, 6), "名前: 値 # x", "      ^^", id="wide characters"),
        pytest.param("e\u0301: x", (5, 6), "e\u0301: x", "   ^", id="combining marks"),
        pytest.param("a: \x1b[31mred", (4, 12), "a: ␛[31mred", "   ^^^^^^^^", id="escapes"),
        pytest.param("spec:", (6, 6), "spec:", "     ^", id="the end of the line"),
        pytest.param("spec:\r\n", (99, 120), "spec:", "     ^", id="beyond the line"),
        pytest.param("spec:", (0, 0), "spec:", "^", id="before the line"),
        pytest.param("", (1, 1), "", "^", id="an empty line"),
    ],
)
def test_marker_stands_under_the_right_character(line: str, columns: tuple[int, int], source: str, marker: str) -> None:
    shown_source, shown_marker = marked(line, Place("f.yaml", 7, columns[0], 7, columns[1]))
    assert shown_source == f"7 | {source}".rstrip(" ")
    assert shown_marker == f"  | {marker}"


def test_place_over_several_lines_is_marked_to_the_end_of_the_first() -> None:
    assert marked("http: [{", Place("f.yaml", 3, 7, 9, 2)) == ("3 | http: [{", "  |       ^^")


@pytest.mark.parametrize(
    ("line", "start", "length", "source"),
    [
        pytest.param(f"{'a' * 90}MARK{'b' * 90}", 90, 4, f"…{'a' * 25}MARK{'b' * 25}…", id="both sides"),
        pytest.param(f"MARK{'b' * 90}", 0, 4, f"MARK{'b' * 51}…", id="at the beginning"),
        pytest.param(f"{'a' * 90}MARK", 90, 4, f"…{'a' * 51}MARK", id="at the end"),
        pytest.param(f"a{'M' * 90}b", 1, 90, f"a{'M' * 53}…", id="the marked part itself"),
        pytest.param(f"{'名' * 90}MARK{'b' * 9}", 90, 4, f"…{'名' * 21}MARK{'b' * 9}", id="wide characters"),
    ],
)
def test_long_source_line_is_cut_around_the_mark(line: str, start: int, length: int, source: str) -> None:
    shown_source, shown_marker = marked(line, Place("f.yaml", 1, start + 1, 1, start + length + 1), width=60)
    assert shown_source == f"1 | {source}"
    assert cells(shown_source) <= 60
    assert len(shown_marker) <= 60


def test_clean_keeps_the_length_and_what_can_be_seen() -> None:
    assert clean("plain `text`, 名前, é") == "plain `text`, 名前, é"
    assert clean("\x00\t\n\r\x1b[0m\x7f") == "␀␉␊␍␛[0m␡"
    assert clean("\x9b31m\u202e\u2028\ud800\ufeff") == "\ufffd31m\ufffd\ufffd\ufffd\ufffd"


TEXT = st.text(max_size=30) | st.text(alphabet="ab \t\n\x1b[;m\u0301名\u202e\ud800\x85", max_size=200)
NUMBERS = st.integers(min_value=-1, max_value=40)
PLACES = st.builds(Place, st.sampled_from(["f.yaml", "unknown.yaml"]) | TEXT, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
WORDS = st.sampled_from(BOTH) | TEXT
NOTES = st.builds(Note, TEXT, TEXT, PLACES)
DELIVERIES = st.dictionaries(WORDS, st.sampled_from(["all", "some", "none", "unknown"]) | TEXT, max_size=3)
REPORTS = st.builds(
    Report,
    st.lists(
        st.builds(
            Finding,
            PLACES,
            TEXT,
            st.sampled_from(["error", "warning"]) | TEXT,
            TEXT,
            TEXT,
            TEXT,
            st.lists(WORDS, max_size=3).map(tuple),
            st.lists(NOTES, max_size=3).map(tuple),
            fix=st.just(()),
            members=st.just(()),
        ),
        max_size=3,
    ).map(tuple),
    st.lists(st.builds(BlindSpot, TEXT, TEXT, NUMBERS, TEXT), max_size=3).map(tuple),
    st.lists(st.builds(MirrorFate, PLACES, TEXT, TEXT, TEXT, DELIVERIES), max_size=3).map(tuple),
)


@given(REPORTS, st.lists(TEXT, max_size=40), st.booleans(), st.integers(-1, 120))
def test_any_text_is_shown_safely(report: Report, lines: list[str], verbose: bool, width: int) -> None:
    sources, options = {"f.yaml": lines}, {"verbose": verbose, "width": width}
    plain = shown(report, sources, **options)
    assert clean(plain.replace("\n", "")) == plain.replace("\n", "")
    assert plain.endswith("\n")
    colored = shown(report, sources, **options, color=True)
    assert ESCAPES.sub("", colored) == plain


@given(REPORTS, st.booleans())
def test_any_text_is_shown_safely_in_a_line(report: Report, strict: bool) -> None:
    plain = text.brief(report, lambda _: (), strict=strict)
    assert clean(plain.replace("\n", "")) == plain.replace("\n", "")
    assert plain.count("\n") == len(report.findings) + (len(without_repeats(report.blind_spots)) if strict else 0)
    assert ESCAPES.sub("", text.brief(report, lambda _: (), strict=strict, color=True)) == plain


@given(st.text(st.characters(exclude_categories=["Mn", "Me"], exclude_characters="\r\n"), max_size=80), st.data())
def test_marked_columns_are_the_spanned_text(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    width = data.draw(st.sampled_from([40, 60, 200]))
    source, marker = marked(line, Place("f.yaml", 1, start + 1, 1, end + 1), width)
    spanned = clean(line[start:end].replace("\t", "    "))
    if start == end:
        assert marker.count("^") == 1
    elif under(marker, source).endswith("…") and "…" not in spanned:
        assert spanned.startswith(under(marker, source).removesuffix("…"))
    else:
        assert under(marker, source) == spanned.rstrip(" ")


def under(marker: str, source: str) -> str:
    """The characters of a line above a marker, blanks at its end apart."""
    begin, end = marker.index("^"), marker.index("^") + marker.count("^")
    places = [cells(source[:index]) for index in range(len(source))]
    return "".join(char for char, place in zip(source, places, strict=True) if begin <= place < end).rstrip(" ")


def validated(report: Report, *fixes: str) -> Any:
    """What a program reads, after the schema has accepted it."""
    document = json.loads(as_json.render(report, "0.1.0", dict(zip(report.findings, fixes, strict=False))))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_json_of_a_finding() -> None:
    report = Report((FINDING,), (BlindSpot("no YAML", "a.yaml", 3, "prod"),), (MIRROR,), 1, 12, 30)
    assert validated(report, "--- a\n+++ b\n") == {
        "version": 1,
        "tool": "mirrorlint 0.1.0",
        "findings": [
            {
                "rule": "mirror-to-unknown-host",
                "level": "error",
                "message": FINDING.message,
                "cluster": "prod",
                "path": SERVICE,
                "line": 14,
                "column": 13,
                "end_line": 14,
                "end_column": 37,
                "object": "VirtualService default/httpbin",
                "worlds": ["1.27"],
                "notes": [
                    {"message": "did you mean this host?", "cluster": "prod", "path": ENTRY, "line": 9, "column": 5},
                ],
                "fix": "--- a\n+++ b\n",
            }
        ],
        "blind_spots": [{"message": "no YAML", "path": "a.yaml", "line": 3}],
        "mirrors": [
            {
                "object": "VirtualService default/httpbin",
                "target": "stage-gateway.example.com:80",
                "path": SERVICE,
                "line": 12,
                "delivery": {"1.27": "all", "1.28": "all"},
            }
        ],
        "summary": {
            "errors": 1,
            "warnings": 0,
            "suppressed": 1,
            "blind_spots": 1,
            "files": 12,
            "documents": 30,
            "mirrors": 1,
        },
    }


def test_json_is_indented_ascii_in_a_stable_order() -> None:
    spots = (BlindSpot("名\ud800\x1b", "charts/x"),)
    page = as_json.render(Report((), spots, (MIRROR._replace(delivery={"1.28": "none", "1.27": "all"}),)), "1", {})
    assert page.startswith('{\n  "version": 1,\n  "tool": "mirrorlint 1",\n  "findings": [],\n')
    assert page.endswith("\n}\n")
    assert page.isascii()
    assert '"message": "\\u540d\\ufffd\\u001b"' in page
    assert '"line": null' in page
    assert page.index('"1.27"') < page.index('"1.28"')


def test_schema_refuses_what_it_does_not_name() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = validated(Report((FINDING,), (BlindSpot("b"),), (MIRROR,)))
    for part in (document, document["summary"], *document["findings"], *document["blind_spots"], *document["mirrors"]):
        part["extra"] = 1
        assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
        del part["extra"]


@given(TEXT, TEXT, st.sampled_from([0, 1, 80]))
def test_any_text_is_valid_json(words: str, path: str, line: int) -> None:
    place = Place(path, 1, 1, 1, 1)
    note = Note(words, words, place)
    finding = FINDING._replace(message=words, place=place, rule=words, object=words, notes=(note,))
    mirror = MIRROR._replace(target=words, place=place)
    document = validated(Report((finding,), (BlindSpot(words, path, line),), (mirror,)), words)
    assert json.dumps(document, ensure_ascii=False).encode()
    assert document["findings"][0]["message"] == re.sub("[\ud800-\udfff]", "\ufffd", words)


def test_what_two_clusters_share_is_told_once() -> None:
    spots = tuple(BlindSpot("not here", "a.yaml", 1, cluster) for cluster in ("prod", "stage"))
    page = shown(Report((), spots, ()))
    assert page.count("not judged: a.yaml:1: not here") == 1
    assert "1 blind spot " in page
