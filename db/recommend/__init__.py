"""How recommendations are made, all of it in the database and bit by bit.

A trigger writes a task beside each order, try-on session and product (`recommendation_tasks`). A round takes some tasks,
counts what they tell and makes the lists anew that they touch, in one transaction: what it took, what it counted and
what it listed are there together or not at all, so each thing counts exactly once, whoever dies on the way.
"""
