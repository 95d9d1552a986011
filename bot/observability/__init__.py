"""What operators see: logs, figures, health. No word, number, name or message id of a person ever gets here."""
