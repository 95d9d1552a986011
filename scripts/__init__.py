"""What the recipes of the Makefile call: setting up, keys and passwords for compose, the import contract."""
