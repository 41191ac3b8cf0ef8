"""What TuneDrop does when everything around it fails."""
