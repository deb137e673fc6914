"""How each thing is told to the outside: what REST v1 answers and what events carry, one model a noun."""
