"""What the rule book says of a fleet: mirrors are followed for all their callers, rules speak, suppressions and levels apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mirrorlint import unjudged
from mirrorlint.book import level_of, rule_book
from mirrorlint.causes import Causes, merged
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged, judge
from mirrorlint.delivery.worlds import WORLDS
from mirrorlint.fleet import Documents
from mirrorlint.istio.routing import MirrorKey
from mirrorlint.level import OFF, WARNING
from mirrorlint.quiet import Quieted, quieted
from mirrorlint.remedy.together import agreeing
from mirrorlint.rule import BROKEN, REFUSED, UNKNOWN_FATE, Edit, Finding, MirrorFate, Report, Subject
from mirrorlint.verdict import doubt_about, fate, finding_of, mirror_findings, spared_by_age


def lint(documents: Documents, levels: Mapping[str, str], istio: str = "") -> Report:
    """Judge all mirrors of all clusters. `levels` overrides what a rule's findings are (off, warning, error)."""
    documents = documents._replace(blind_spots=(*documents.blind_spots, *unjudged.objects(documents)))
    delivery = Delivery(documents.clusters, by_name, istio=istio)
    judged = [mirror for name in documents.own() for mirror in judge(documents.clusters, delivery, name, delivery.meshes[name].worlds)]
    spared = spared_by_age(judged, documents, delivery)
    causes = Causes(documents, delivery)
    subject = Subject(documents, delivery, tuple(judged))
    of_mirrors = [(m.mirror.key, tuple(mirror_findings(m, subject, causes, m.mirror.key in spared))) for m in judged]
    found = [*_object_findings(subject, levels), *(finding for _, findings in of_mirrors for finding in findings)]
    mirrors = tuple(fate(mirror, delivery) for mirror in judged)
    left = _quieted(_levelled(found, levels), subject, levels, any(UNKNOWN_FATE in mirror.delivery.values() for mirror in mirrors))
    passed = unjudged.on_the_way(documents, delivery, judged) if judged else ()
    spots = {*documents.blind_spots, *passed, *unjudged.unknown_ways(judged, documents)}
    return Report(
        findings=agreeing(sorted(merged(finding for finding in left.findings if finding.level != OFF)), _mended(of_mirrors), subject),
        blind_spots=tuple(sorted(spots, key=lambda spot: (spot.path, spot.line, spot.message))),
        mirrors=mirrors,
        suppressed=left.suppressed,
        files=documents.files,
        documents=documents.documents,
    )


def _mended(found: Iterable[tuple[MirrorKey, Iterable[Finding]]]) -> Mapping[Edit, set[MirrorKey]]:
    """The mirrors that each edit is for, where findings are of mirrors."""
    mended: dict[Edit, set[MirrorKey]] = {}
    for key, edit in ((key, edit) for key, findings in found for finding in findings for edit in finding.fix):
        mended.setdefault(edit, set()).add(key)
    return mended


def of_mirror(judged: Judged, documents: Documents, delivery: Delivery) -> tuple[tuple[Finding, ...], MirrorFate]:
    """What there is to say of one mirror's shadows, and how many arrive; the delivery is the one that followed them."""
    subject = Subject(documents, delivery, (judged,))
    return tuple(mirror_findings(judged, subject, Causes(documents, delivery), spared=False)), fate(judged, delivery)


def of_causes(documents: Documents, delivery: Delivery, levels: Mapping[str, str]) -> tuple[Finding, ...]:
    """What there is to say of objects that may be to blame for a loss although they are not on the way."""
    subject = Subject(documents, delivery, ())
    return tuple(_levelled((finding for rule in (BROKEN, REFUSED) for finding in _object_findings(subject, levels, only=rule)), levels))


def _levelled(findings: Iterable[Finding], levels: Mapping[str, str]) -> Iterator[Finding]:
    return (finding._replace(level=levels.get(finding.rule, finding.level)) for finding in findings)


def _quieted(findings: Iterable[Finding], subject: Subject, levels: Mapping[str, str], uncertain: bool) -> Quieted:
    """Apply the suppressions; where a mirror's fate is not known, none of them is called useless for want of a finding."""
    active = () if uncertain else [name for name in rule_book() if levels.get(name, level_of(name)) != OFF]
    left = quieted(findings, subject.documents.suppressions, rule_book(), active)
    idle = _object_findings(subject._replace(idle=left.idle), levels, only="useless-suppression")
    return left._replace(findings=(*left.findings, *_levelled(idle, levels)))


def _object_findings(subject: Subject, levels: Mapping[str, str], only: str = "") -> Iterator[Finding]:
    for name, module in rule_book().items():
        level = level_of(name)
        if not hasattr(module, "REASONS") and only in ("", name) and levels.get(name, level) != OFF:
            for flaw in module.check(subject):
                doubt = doubt_about(flaw.cluster, subject.documents) if flaw.doubtful else ""
                said = flaw._replace(message=flaw.message + doubt, fix=() if doubt else flaw.fix)
                yield finding_of(name, WARNING if doubt else level, said, WORLDS)
