"""The one kind of error a user can cause."""


class UserError(Exception):
    """Something a user can mend: one sentence that says what, where, and what to do.

    The commands print the sentence and exit with a code other than zero; no traceback is shown.
    """


class LoadRejected(UserError):
    """A delivery was refused whole; the published marts and all other deliveries are untouched."""


class Transient(UserError):
    """Something that may be over in a minute: a scheduler may try again."""


class LockBusy(Transient):
    """Another run holds the work file; the sentence says who, with which pid, and since when."""
