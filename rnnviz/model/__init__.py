"""The network engine: activations, initializers, losses, optimizers, cells, and the network built from them.

Independent of tasks and experiments; imports only NumPy.
"""
