"""The engine beside others: `make bench ARGS=engine`, or `ARGS="engine --shapes b"` for less.

run           the trials, their table and the goals
shapes        the models: random weights in known shapes
llama         llama.cpp with the same weights, where it is installed (llama_child runs there)
reuse         what kept prefixes save
manners       the event loop, cancelled requests
goals         what is wanted, and whether it is so
"""
