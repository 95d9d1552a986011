"""Recado: a privacy-first conversational chatbot framework for the WhatsApp Business Platform."""
