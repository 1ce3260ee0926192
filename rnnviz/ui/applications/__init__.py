"""The jobs of the page Applications: what a visitor gives each network, and how its answer is shown."""
