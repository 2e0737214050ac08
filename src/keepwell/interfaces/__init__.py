"""What people and programs touch; it reaches data through services."""
