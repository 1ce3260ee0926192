"""Networks of arrays: activations, initializers, losses, optimizers, cells, and the network built from them.

It knows nothing of tasks and experiments, and imports only NumPy.
"""
