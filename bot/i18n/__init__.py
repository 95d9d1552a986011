"""Languages: catalogs kept in memory, the choice of a language, and values written and read as people there do. Knows Babel."""
