"""`python -m mirrorlint`."""

from mirrorlint.start import main

main()
