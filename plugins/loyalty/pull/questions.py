"""Whether the query of an SQL source only asks."""

from __future__ import annotations

CHANGING = frozenset({"INTO", "EXEC", "EXECUTE", "CALL", "DO", "COPY", "LOAD", "ATTACH", "INSTALL", "PRAGMA", "SET"})
ASKING = frozenset({"SELECT"})


def no_question(query: str) -> str:
    """Why a text is not one SELECT, also not one within which something is changed; empty when it is one."""
    import sqlparse
    from sqlparse import tokens

    statements = [one for one in sqlparse.parse(query) if one.token_first(skip_cm=True)]
    if len(statements) != 1:
        return f"there are {len(statements)} statements"
    words = [token for token in statements[0].flatten() if token.ttype in tokens.Keyword or token.ttype in tokens.Name]
    for token in words:
        word = token.normalized.upper().split()[0] if token.normalized else ""
        is_change = token.ttype in tokens.Keyword.DML or token.ttype in tokens.Keyword.DDL
        if (is_change and word not in ASKING) or (token.ttype in tokens.Keyword and word in CHANGING):
            return f"`{word}` does more than ask"
    if statements[0].get_type() != "SELECT":
        return "this is none"
    return ""
