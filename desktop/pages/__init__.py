"""The pages of the rail, the first minute, and the cards before the office is open."""
