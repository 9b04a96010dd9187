"""Real programs the tests talk to, none of them written for Bureau; README.md says what each is for."""
