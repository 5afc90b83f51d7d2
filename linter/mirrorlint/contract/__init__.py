"""What two repositories that can't see each other publish: what a cluster accepts, and what it expects of its peers."""
