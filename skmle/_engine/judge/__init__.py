"""What kind of end a fit has come to."""
