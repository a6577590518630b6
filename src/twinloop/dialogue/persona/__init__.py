"""The manner of a digital self: four sliders, a way of writing, what was just said and what was told long ago."""
