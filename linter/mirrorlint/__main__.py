"""`python -m mirrorlint`."""

from mirrorlint.start import program

program()
