"""The proof in the consent ledger: leaves, tree, signed heads, verification, and the forms it is handed out in (privacy.md 3.5).

Pure: what is stored is read and written by `bot.storage`; when something is sequenced is `bot.runtime.sequencer`'s to decide.
"""
