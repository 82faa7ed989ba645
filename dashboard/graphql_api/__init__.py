"""`POST /graphql`: the desk read by programs. An optional extra: the library is imported with the first question.

Nothing can be changed here. What a question may cost is known before any of it is answered (`checking`, `limits`).
"""
