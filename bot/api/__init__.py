"""The REST API for the business's own systems: `/api/v1/`, with keys that open only what their scopes name.

Nothing here does what the program does elsewhere: every endpoint calls what the chat and the commands call too, through `ports`.
"""
