"""Ready-made workspaces and warehouses; README.md says which to take."""
