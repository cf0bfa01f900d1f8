"""The one door: everything that leaves the application for another machine passes here.

`places` says where each purpose may go, `addresses` which addresses no stranger may name, `line`
resolves once and connects, `exchange` asks over HTTP. The house rule `one-door-out` keeps the
rest of the application from opening a connection of its own. ADR 31.
"""
