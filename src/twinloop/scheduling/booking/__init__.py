"""Booking of a workshop: which visit on which day or not at all, each day as a shop, and what happens to both.

Import from the modules: `candidates` for what risks are worth, `days.book` for the days, `visits.day_plan` for one of
them, `bookings.Bookings` for what customers and the floor do to them.
"""
