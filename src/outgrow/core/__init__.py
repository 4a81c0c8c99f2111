"""What every other part may lean on."""
