"""How Django itself writes dates where no pattern is given: in the admin. Pages for customers use core.formats."""
