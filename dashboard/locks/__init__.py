"""The lock on the door: who has to sign in, how, and who they are in a page."""
