"""What the person serves: the responder's registration, and beside it the script that MLflow runs for it."""
