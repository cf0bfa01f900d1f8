"""Sign-in through an OpenID Provider: one for traders, one for the agency's people, each optional.

A person is known by issuer and subject, never by the address alone. See ADR on sign-in through a
provider, and `rules` for who gets in.
"""
