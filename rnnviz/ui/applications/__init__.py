"""The page Applications: the inputs and the answers of each application."""
