"""What to do when the plan meets the day: events, right-shift, repair, full re-planning, and the rolling loop.

Import from the modules: `replan.replan` for one event, `rolling.roll` for a whole course of them.
"""
