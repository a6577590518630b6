"""Where telemetry comes from: known collections and a plant's own tables, each read into one record and screened."""
