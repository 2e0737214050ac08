"""The Django site: settings, addresses, middleware, and how it is started."""
