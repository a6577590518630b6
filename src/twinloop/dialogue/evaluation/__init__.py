"""How good hearing, finding and answering are, with intervals over what is independent: speakers, documents."""
