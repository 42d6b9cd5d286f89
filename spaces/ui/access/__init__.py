"""Who may call what: routes, login, the keys of visitors, other origins, and what a page may load."""
