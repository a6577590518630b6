"""Providers on the other side of HTTP, by the interface that OpenAI published and many servers share."""
