"""Live pictures of the applications' answers: what a visitor asks, as plain values, and the network's answer.

May import what ``figures`` may import.
"""
