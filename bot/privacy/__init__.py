"""Rules of privacy: consent, notices, the gate, suppression, rights, keys. Decides; never sends and never stores."""
