"""Executions recorded in MLflow: one row each, stages nested below it, models registered.

Import from the modules; nothing here imports MLflow before it is needed (it takes a second or two).
"""
