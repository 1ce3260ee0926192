"""The laboratory's instruments; each measures, draws and explains one thing."""
