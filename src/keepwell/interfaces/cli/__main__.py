"""`python -m keepwell.interfaces.cli`: the command line, however the program is installed."""

from keepwell.interfaces.cli import main

main()
