"""What a model can do, measured: `parley eval`. Six groups of figures, each with its intervals, and a comparison of two
models that decides whether one may take the other's place."""
