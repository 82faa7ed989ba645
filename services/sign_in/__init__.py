"""Who may come in: users, passwords, sign-ins, and what happens to those who guess."""

from services.sign_in.sign_ins import SignIns

__all__ = ["SignIns"]
