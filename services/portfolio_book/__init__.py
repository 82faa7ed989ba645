"""What the account holds: positions, holdings and money, as the broker told them last, marked to market by the desk."""
