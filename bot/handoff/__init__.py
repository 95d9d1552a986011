"""Chats that people of the business have: tickets, who may do what, who gets which chat."""
