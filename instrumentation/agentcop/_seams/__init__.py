"""The places where calls pass: how they are put there, what shape they have, and whom they ask."""
