"""One file a paper, named by its BibTeX key; each defines a module-level `claims`."""
