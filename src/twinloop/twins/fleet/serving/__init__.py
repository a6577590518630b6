"""What the fleet serves: each model's registration, and beside it the script that MLflow runs for it."""
