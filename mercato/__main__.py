"""`python -m mercato`."""

from mercato.cli.main import main

main()
