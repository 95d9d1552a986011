"""The channel: Meta's WhatsApp Cloud API. Parses what comes, writes what goes; knows no flow and no database."""
