"""The page Real data: the inputs and the answers of each application."""
