"""What a job leaves in a folder: written, read again, compared."""
