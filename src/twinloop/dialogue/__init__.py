"""Converse: hear, find, answer and speak, each part by a provider that can be exchanged, all of it measured."""
