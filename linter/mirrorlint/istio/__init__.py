"""Typed, located reads of Istio's and Kubernetes' objects; they know names and fields, not what a proxy does with them."""
