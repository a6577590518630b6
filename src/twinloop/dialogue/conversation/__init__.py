"""The turn of a conversation: hear, find, answer, speak; each part measured, nothing lost where one fails."""
