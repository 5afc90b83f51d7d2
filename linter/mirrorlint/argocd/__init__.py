"""The Argo CD config management plugin: render an application, follow the shadows that it has a part in, print what was rendered."""

from __future__ import annotations

# What findings do, and what a failure of ours does, from the loosest to the strictest.
MODES = WARN, ENFORCE = "warn", "enforce"
FAILURES = OPEN, CLOSED = "open", "closed"
# How a folder is rendered.
WAYS = AUTO, KUSTOMIZE, HELM, PLAIN = "auto", "kustomize", "helm", "plain"
