"""`python -m theorylab`: the command line, also from a checkout that is not installed."""

from theorylab.cli import main

main()
