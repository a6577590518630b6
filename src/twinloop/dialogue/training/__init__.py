"""What is learnt from a person's own texts, by Lightning; whatever is learnt is used without torch."""
