"""Who may do what: the actor, the permissions, the predicates, one policy table."""
