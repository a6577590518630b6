"""Booking of a workshop: which visit on which day or not at all, each day as a shop, and what happens to both.

Import from the modules: `candidates` for what risks are worth, `days.book` for the days, `visits.day_plan` for one of
them, `bookings.Bookings` for what customers do to the days, `today.react` for what the floor does to one of them, and
`rule.BookingRule` for a fleet whose visits are booked every morning.
"""
