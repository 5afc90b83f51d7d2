"""One shadow's way: from the called route through the registry to the target's gateway, virtual host, route and destination."""
