"""The days that differ from ordinary ones, 2019 to 2026, each with where it was read and whether that is good ground.

`equity.py`: holidays of shares and equity derivatives, and the days without settlement. `currency.py`: what currencies
close on besides. `commodity.py`: MCX's closed days, mornings and evenings. `specials.py`: sessions at hours of their
own. `rows.py`: how a row looks. `plans.py`: a market's day by these rows and the ordinary hours.
"""
