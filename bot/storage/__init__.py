"""The only room that knows MongoDB: documents, collections, indexes and the embedded server."""
