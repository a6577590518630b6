"""Sound in and out: recordings, voice activity, recognisers, voices, speakers, commands, and how errors are counted."""
