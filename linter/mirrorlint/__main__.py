"""`python -m mirrorlint`."""

from mirrorlint.cli import main

main()
