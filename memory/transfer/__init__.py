"""How records leave the office and come into it: exports, their verification, and imports."""
